// What a model makes of a task's prompts: how far right answers are ahead of wrong ones, prompt by prompt.

import FoundationEssentials
import Tensors
import Transformers

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// How a model answers one prompt.
public struct AnswerScore: Equatable, Sendable {
  /// The metric's value: how far the right answers are ahead.
  public var margin: Double
  /// Whether the most likely next token is a right answer.
  public var isRight: Bool
}

/// The prompts of a set that can be scored: positives with right and wrong answers.
struct ScorablePrompts {
  let metric: AnswerMetric
  let prompts: [TokenizedPrompt]
  /// Where each stands in the set.
  let indices: [Int]

  /// - Throws: `TaskError.badPrompt` for a positive without right or wrong answers, `noPositives` without any.
  init(_ set: PromptSet, metric: AnswerMetric? = nil) throws(TaskError) {
    self.metric = metric ?? set.metric
    indices = set.prompts.indices.filter { set.prompts[$0].isPositive }
    prompts = indices.map { set.prompts[$0] }
    guard !prompts.isEmpty else { throw .noPositives(source: set.task, prompts: set.prompts.count) }
    for (index, prompt) in zip(indices, prompts) where prompt.answers.isEmpty || prompt.wrong.isEmpty {
      let missing = prompt.answers.isEmpty ? "answer" : "wrong answer"
      throw .badPrompt(source: set.task, prompt: index, problem: "it has no \(missing) to measure")
    }
  }

  /// The score of a prompt from its logits `[vocabulary]` at the position of its answer.
  func score(_ prompt: TokenizedPrompt, logits: Span<Float>) -> AnswerScore {
    var best = 0
    for token in logits.indices where logits[token] > logits[best] { best = token }
    let margin: Double
    switch metric {
    case .logitDifference: margin = mean(prompt.answers, of: logits) - mean(prompt.wrong, of: logits)
    case .probabilityDifference:
      let highest = Double(logits[best])
      var total = 0.0
      for token in logits.indices { total += exp(Double(logits[token]) - highest) }
      let right = prompt.answers.reduce(0.0) { $0 + exp(Double(logits[$1]) - highest) }
      let wrong = prompt.wrong.reduce(0.0) { $0 + exp(Double(logits[$1]) - highest) }
      margin = (right - wrong) / total
    }
    return AnswerScore(margin: margin, isRight: prompt.answers.contains(best))
  }

  private func mean(_ tokens: [Int], of logits: Span<Float>) -> Double {
    tokens.reduce(0.0) { $0 + Double(logits[$1]) } / Double(tokens.count)
  }
}

extension Transformer {
  /// How the model answers the positive prompts of a set, in their order.
  ///
  /// - Parameters:
  ///   - metric: how answers are compared; nil takes the set's own.
  ///   - tokenLimit: about how many tokens run at once.
  /// - Throws: `TaskError` for prompts without answers, `TransformerError` for prompts the model cannot read.
  public func answerScores(
    _ set: PromptSet, metric: AnswerMetric? = nil, tokenLimit: Int = 2048
  ) throws -> [AnswerScore] {
    let scorable = try ScorablePrompts(set, metric: metric)
    var scores = [AnswerScore](
      repeating: AnswerScore(margin: 0, isRight: false), count: scorable.prompts.count)
    for group in TokenBatch.groups(of: scorable.prompts.map(\.tokens), tokenLimit: tokenLimit) {
      let prompts = group.indices.map { scorable.prompts[$0] }
      for (index, score) in zip(group.indices, try answerScores(scorable, prompts, group.batch)) {
        scores[index] = score
      }
    }
    return scores
  }

  /// The scores of the prompts of one batch, with edits.
  func answerScores(
    _ scorable: ScorablePrompts, _ prompts: [TokenizedPrompt], _ batch: TokenBatch,
    applying edits: [HookPoint: Edit] = [:]
  ) throws -> [AnswerScore] {
    let logits = try logits(batch, at: prompts.map { [$0.answerPosition] }, applying: edits)
    return prompts.indices.map { index in
      logits.row(index).withValues { scorable.score(prompts[index], logits: $0) }
    }
  }
}
