// What a model makes of a task's prompts: how far right answers are ahead of wrong ones, prompt by prompt.

import CausalMethods
import Transformers

/// How a model answers one prompt.
public struct AnswerScore: Equatable, Sendable {
  /// The metric's value: how far the right answers are ahead.
  public var margin: Double
  /// Whether the most likely next tokens are a right answer.
  public var isRight: Bool

  /// A score.
  public init(margin: Double, isRight: Bool) { (self.margin, self.isRight) = (margin, isRight) }
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
}

extension Transformer {
  /// How the model answers the positive prompts of a set, in their order; of a part, in that of batches.
  ///
  /// - Parameters:
  ///   - part: which of the positive prompts, counted in the order of their batches; all where nil.
  ///   - metric: how answers are compared; nil takes the set's own.
  ///   - tokenLimit: about how many tokens run at once.
  /// - Throws: `TaskError` for prompts without answers, `TransformerError` for prompts the model cannot read.
  public func answerScores(
    _ set: PromptSet, part: Range<Int>? = nil, metric: AnswerMetric? = nil, tokenLimit: Int = 2048
  ) throws -> [AnswerScore] {
    let scorable = try ScorablePrompts(set, metric: metric)
    let prompts = scorable.prompts
    let cut = CausalTask(
      clean: prompts.map(\.tokens), corrupted: [], others: [],
      questions: prompts.map(\.question), metric: scorable.metric.causal
    ).part(part ?? prompts.indices, tokenLimit: tokenLimit)
    let task = cut.task
    var scores = [AnswerScore](
      repeating: AnswerScore(margin: 0, isRight: false), count: task.clean.count)
    for indices in task.batches(tokenLimit: tokenLimit) {
      let margins = try values(of: task.logitMetric(indices, model: self), task.cleanBatch(indices))
      var accuracy = task
      accuracy.metric = .accuracy
      let right = try values(of: accuracy.logitMetric(indices, model: self), task.cleanBatch(indices))
      for (place, index) in indices.enumerated() {
        scores[index] = AnswerScore(margin: margins[place], isRight: right[place] == 1)
      }
    }
    return Array(scores[cut.kept])
  }
}
