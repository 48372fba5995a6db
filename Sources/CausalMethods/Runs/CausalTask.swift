// What a causal method is asked: prompts, their corrupted twins, and a number made from the logits.

import Tensors
import Transformers

/// A number that tells how well a prompt is answered.
public enum CausalMetric: String, CaseIterable, Sendable {
  /// Mean log-probability of the right answers less that of the wrong ones: where they are one token, the difference of
  /// mean logits.
  case logitDifference = "logit_difference"
  /// Probability of the right answers less that of the wrong ones.
  case probabilityDifference = "probability_difference"
  /// Cross-entropy of the right answers, in nats.
  case loss
  /// Divergence from the whole model's own answer, in nats.
  case divergence = "kl"
  /// Share of prompts whose most likely next tokens are a right answer; it has no gradient.
  case accuracy
}

/// Prompts with what is asked of them.
public struct CausalTask: Sendable {
  /// Token ids of the prompts that show the behaviour.
  public var clean: [[Int]]
  /// Each prompt's corrupted twin, of the same number of tokens; empty where no method needs one.
  public var corrupted: [[Int]]
  /// Prompts whose mean stands in for a value: those that do not call for the behaviour.
  public var others: [[Int]]
  /// What each prompt asks.
  public var questions: [Question]
  /// How answers are scored.
  public var metric: CausalMetric
  /// Each prompt's number in the task that prompts were chosen from, which random choices for it follow.
  public var numbers: [Int]
  /// The batches that prompts run in, where they were cut from those of a larger task.
  private var givenBatches: [[Int]]?

  /// A task.
  /// - Parameter numbers: the prompts' numbers, where they were chosen from more; else they are counted from 0.
  public init(
    clean: [[Int]], corrupted: [[Int]], others: [[Int]], questions: [Question], metric: CausalMetric,
    numbers: [Int]? = nil
  ) {
    precondition(questions.count == clean.count, "\(questions.count) questions for \(clean.count) prompts")
    self.clean = clean
    self.corrupted = corrupted
    self.others = others
    self.questions = questions
    self.metric = metric
    self.numbers = numbers ?? Array(clean.indices)
  }

  /// Refuses prompts without a twin of the same length.
  /// - Throws: `CausalError.unpaired`, which names the first.
  public func requirePairs() throws(CausalError) {
    guard corrupted.count == clean.count else {
      throw .unpaired(prompt: corrupted.count, problem: "it has no corrupted twin")
    }
    for (index, (one, two)) in zip(clean, corrupted).enumerated() where one.count != two.count {
      let problem = "it has \(one.count) tokens and its corrupted twin \(two.count)"
      throw .unpaired(prompt: index, problem: problem)
    }
  }

  /// Refuses questions that the metric cannot be taken of.
  /// - Throws: `CausalError.noPrompts` or `noAnswer`.
  public func requireAnswers() throws(CausalError) {
    guard !clean.isEmpty else { throw .noPrompts }
    for (index, question) in questions.enumerated() {
      if metric != .divergence, question.right.isEmpty {
        throw .noAnswer(prompt: index, what: "right answer")
      }
      if metric == .logitDifference || metric == .probabilityDifference, question.wrong.isEmpty {
        throw .noAnswer(prompt: index, what: "wrong answer")
      }
    }
  }

  /// Prompts of one length, and of answers of one length together, so many tokens at once, by their indices.
  public func batches(tokenLimit: Int) -> [[Int]] {
    if let givenBatches { return givenBatches }
    let byLength = Dictionary(grouping: clean.indices) { prompt in
      [clean[prompt].count, questions[prompt].continuations.reduce(0) { $0 + $1.count }]
    }
    return byLength.keys.sorted { $0.lexicographicallyPrecedes($1) }.flatMap { lengths -> [[Int]] in
      let indices = byLength[lengths] ?? []
      let size = max(1, tokenLimit / max(1, lengths.reduce(0, +)))
      let parts = (indices.count + size - 1) / size
      return (0..<parts).map { part in
        Array(indices[indices.count * part / parts..<indices.count * (part + 1) / parts])
      }
    }
  }

  /// Some of the prompts, counted in the order of batches, in the batches that they have in the whole task.
  ///
  /// The other prompts of a batch across the border come with it, so that a part computes what the whole does, to the
  /// last bit.
  /// - Parameter range: which prompts, in the order of `batches(tokenLimit:)` one after the other.
  public func part(_ range: Range<Int>, tokenLimit: Int) -> TaskPart {
    guard range != clean.indices else {
      return TaskPart(task: self, prompts: Array(clean.indices), kept: clean.indices)
    }
    var (prompts, given, first, kept) = ([Int](), [[Int]](), 0, 0..<0)
    for batch in batches(tokenLimit: tokenLimit) {
      let own = range.clamped(to: first..<first + batch.count)
      if !own.isEmpty {
        if prompts.isEmpty { kept = own.lowerBound - first..<own.lowerBound - first + range.count }
        given.append(Array(prompts.count..<prompts.count + batch.count))
        prompts += batch
      }
      first += batch.count
    }
    var task = selecting(prompts)
    task.givenBatches = given
    return TaskPart(task: task, prompts: prompts, kept: kept)
  }

  /// Some of the clean prompts with what their answers put behind them.
  public func cleanBatch(_ indices: [Int]) -> TokenBatch { batch(indices.map { clean[$0] }, asking: indices) }

  /// The corrupted twins of some prompts, each with what its prompt's answers put behind it.
  public func corruptedBatch(_ indices: [Int]) -> TokenBatch {
    batch(indices.map { corrupted[$0] }, asking: indices)
  }

  /// Any prompts, each asked the question of one of the clean ones.
  func batch(_ prompts: [[Int]], asking indices: [Int]) -> TokenBatch {
    TokenBatch(prompts, continuedBy: indices.map { questions[$0].continuations })
  }

  /// The tokens of all rows of a clean prompt in a run: its own, then what its answers put behind it.
  public func rowTokens(ofPrompt prompt: Int) -> [Int] {
    clean[prompt] + questions[prompt].continuations.flatMap { $0 }
  }

  /// Some of the prompts.
  public func selecting(_ indices: [Int]) -> CausalTask {
    CausalTask(
      clean: indices.map { clean[$0] }, corrupted: corrupted.isEmpty ? [] : indices.map { corrupted[$0] },
      others: others, questions: indices.map { questions[$0] }, metric: metric,
      numbers: indices.map { numbers[$0] })
  }

  /// The metric of some prompts; the model is run where its own answers are the reference.
  /// - Throws: `TransformerError` for prompts that the model cannot read.
  public func logitMetric(_ indices: [Int], model: Transformer) throws -> any LogitMetric {
    let questions = indices.map { self.questions[$0] }
    switch metric {
    case .logitDifference: return LogitDifference(questions)
    case .probabilityDifference: return ProbabilityDifference(questions)
    case .loss: return AnswerLoss(questions)
    case .accuracy: return AnswerAccuracy(questions)
    case .divergence:
      // The first token of the answers is asked for, whatever they go on with.
      let batch = cleanBatch(indices)
      let logits = try model.logits(batch, at: questions.map { [$0.position] })
      return Divergence(positions: questions.map(\.position), referenceLogits: logits)
    }
  }
}

/// A part of a task's prompts, with what must run beside them.
public struct TaskPart: Sendable {
  /// The prompts to run.
  public var task: CausalTask
  /// Where each of these stands in the whole task.
  public var prompts: [Int]
  /// Which of these are the part; the others fill its first and last batch.
  public var kept: Range<Int>

  /// Where the prompts of the part stand in the whole task.
  public var keptPrompts: [Int] { Array(prompts[kept]) }
}
