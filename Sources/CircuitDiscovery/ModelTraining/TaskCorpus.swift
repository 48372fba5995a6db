// What a model learns a task from, and what it is examined on.
//
// A positive prompt and its negative go together. Whether a pair is held out is decided by a hash of the positive's
// tokens alone: no training run on the same vocabulary, whatever its seed, ever sees a held-out prompt.

import Tensors
import Transformers

/// How prompts become training examples.
public struct CorpusSettings: Sendable, Equatable {
  /// Pairs of prompts made for each task, held-out ones included.
  public var pairs: Int
  /// The weight of predicting the text's own next token, where an answer's is 1.
  public var textWeight: Double
  /// The share of negatives in what is learned from.
  public var negativeShare: Double

  /// Settings.
  public init(pairs: Int = 12_000, textWeight: Double = 0.1, negativeShare: Double = 0.25) {
    self.pairs = pairs
    self.textWeight = textWeight
    self.negativeShare = negativeShare
  }
}

/// The examples of one task.
public struct TaskCorpus: Sendable {
  /// The task's name.
  public let name: String
  /// Prompts that call for the behaviour, to learn from.
  public private(set) var positives: [TrainingExample] = []
  /// Their counterparts, in the same order: the pair's right and wrong answers are equally likely there, unless the
  /// negative has right answers of its own.
  public private(set) var negatives: [TrainingExample] = []
  /// Prompts that call for the behaviour and are never learned from; only the answer counts.
  public private(set) var heldOut: [TrainingExample] = []

  /// One in this many pairs is held out.
  public static let heldOutShare = 10

  /// The pairs of a prompt set, split.
  public init(_ set: PromptSet, settings: CorpusSettings) {
    name = set.task
    let pairs = Dictionary(
      set.pairs.map { ($0.positive, $0.negative) }, uniquingKeysWith: { first, _ in first })
    for (index, prompt) in set.prompts.enumerated() where prompt.isPositive && !prompt.answers.isEmpty {
      if Self.isHeldOut(prompt.tokens) {
        heldOut.append(Self.example(prompt, answers: prompt.answerTokens, textWeight: 0))
        continue
      }
      positives.append(
        Self.example(prompt, answers: prompt.answerTokens, textWeight: settings.textWeight))
      if let negative = pairs[index].map({ set.prompts[$0] }) {
        let answers =
          negative.answerTokens.isEmpty ? prompt.answerTokens + prompt.wrongTokens : negative.answerTokens
        negatives.append(Self.example(negative, answers: answers, textWeight: settings.textWeight))
      }
    }
  }

  /// Whether a positive prompt is held out: FNV-1a of its token ids, finalised, modulo ten.
  public static func isHeldOut(_ tokens: [Int]) -> Bool {
    var hash: UInt64 = 0xcbf2_9ce4_8422_2325
    for token in tokens { hash = (hash ^ UInt64(token)) &* 0x100_0000_01b3 }
    hash = (hash ^ (hash >> 33)) &* 0xff51_afd7_ed55_8ccd
    return (hash ^ (hash >> 33)) % UInt64(heldOutShare) == 0
  }

  private static func example(
    _ prompt: TokenizedPrompt, answers: [Int], textWeight: Double
  ) -> TrainingExample {
    let tokens = prompt.tokens
    let place = prompt.answerPosition
    let targets = tokens.indices.compactMap { row -> PredictionTarget? in
      if row == place { return PredictionTarget(row: row, tokens: answers.map { Int32($0) }) }
      guard textWeight > 0, row + 1 < tokens.count else { return nil }
      return PredictionTarget(row: row, tokens: [Int32(tokens[row + 1])], weight: Float(textWeight))
    }
    return TrainingExample(tokens: tokens, targets: targets)
  }
}

/// A random mixture of tasks.
public struct TaskMixture: Sendable {
  /// The tasks.
  public let corpora: [TaskCorpus]
  private let negativeShare: Double

  /// A mixture of these tasks.
  public init(_ corpora: [TaskCorpus], settings: CorpusSettings) {
    self.corpora = corpora
    negativeShare = settings.negativeShare
  }

  /// How often each task is drawn: in equal parts before the first examination, then in proportion to the errors
  /// of the latest one, a task that is done well as if it had one error in ten.
  public func shares(after examination: Examination?) -> [Double] {
    guard let tasks = examination?.tasks, tasks.count == corpora.count else {
      return corpora.map { _ in 1 / Double(corpora.count) }
    }
    let errors = tasks.map { max(0.1, 1 - $0.accuracy) }
    let total = errors.reduce(0, +)
    return errors.map { $0 / total }
  }

  /// The batch of a step: it depends on the seed, the step and the shares alone.
  public func batch(step: Int, size: Int, seed: UInt64, shares: [Double]) -> [TrainingExample] {
    var generator = SeededGenerator(seed: seed, stream: "batch \(step)")
    return (0..<size).map { _ in
      let corpus = corpora[Self.index(of: generator.uniform(), in: shares)]
      let isNegative = generator.uniform() < negativeShare
      let pool = isNegative && !corpus.negatives.isEmpty ? corpus.negatives : corpus.positives
      return pool[generator.index(below: pool.count)]
    }
  }

  private static func index(of point: Double, in shares: [Double]) -> Int {
    var end = 0.0
    for (index, share) in shares.enumerated() {
      end += share
      if point < end { return index }
    }
    return shares.count - 1
  }
}

/// How well a model does a task on prompts it has never seen.
public struct TaskAccuracy: Sendable, Equatable {
  /// The task's name.
  public var task: String
  /// The share of prompts whose most likely next token, of the whole vocabulary, is a right answer.
  public var accuracy: Double
  /// The mean probability of all right answers together.
  public var rightMass: Double
  /// How many prompts were asked.
  public var prompts: Int

  /// The accuracy that outcomes of answer positions show.
  public init(task: String, examples: [TrainingExample], outcomes: [PredictionOutcome]) {
    precondition(examples.count == outcomes.count, "\(outcomes.count) outcomes of \(examples.count) prompts")
    self.task = task
    prompts = examples.count
    let right = zip(examples, outcomes).count { example, outcome in
      example.targets.last.map { $0.tokens.contains(outcome.best) } ?? false
    }
    accuracy = prompts == 0 ? 0 : Double(right) / Double(prompts)
    rightMass = prompts == 0 ? 0 : outcomes.reduce(0) { $0 + Double($1.rightMass) } / Double(prompts)
  }
}
