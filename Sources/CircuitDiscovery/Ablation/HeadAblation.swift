// How much a task's answers depend on each head: the head is replaced by a stand-in, and the answers are scored again.

import CausalMethods
import Files
import Transformers

/// The answers to a task's positive prompts, with every head in place and with each one replaced.
public struct HeadAblation: Equatable, Sendable {
  /// The number of layers.
  public let layers: Int
  /// The number of heads in a layer.
  public let headsPerLayer: Int
  /// How answers were compared.
  public let metric: AnswerMetric
  /// What stood in for a head.
  public let replacement: HeadReplacement
  /// Which of the set's positive prompts were measured, from 0.
  public let prompts: [Int]
  /// The scores with every head in place, by prompt.
  public let baseline: [AnswerScore]
  /// The margins with one head replaced, by head (`layer · headsPerLayer + head`) and prompt.
  public let margins: [[Double]]

  /// Measures every head of a model.
  ///
  /// Costs one run over the positives for each head, and one for the stand-ins.
  /// - Parameters:
  ///   - part: which of the positive prompts are measured, counted in the order of their batches; all where nil.
  ///   - metric: how answers are compared; nil takes the set's own.
  ///   - tokenLimit: about how many tokens run at once.
  ///   - progress: called with the number of runs done and their total.
  /// - Throws: `TaskError` where prompts have no answers, or no negatives that could stand in;
  ///   `TransformerError` for prompts the model cannot read.
  public init(
    of set: PromptSet, part: Range<Int>? = nil, model: Transformer, replacement: HeadReplacement = .negatives,
    metric: AnswerMetric? = nil, tokenLimit: Int = 2048, progress: (Int, Int) -> Void = { _, _ in }
  ) throws {
    let scorable = try ScorablePrompts(set, metric: metric)
    layers = model.configuration.layers
    headsPerLayer = model.configuration.heads
    self.metric = scorable.metric
    self.replacement = replacement
    let task = try Self.task(set, scorable, replacement)
    let cut = task.part(part ?? task.clean.indices, tokenLimit: tokenLimit)
    prompts = cut.keptPrompts
    var options = AttributionOptions()
    options.replacement = replacement == .pair ? .pair : .mean
    options.tokenLimit = tokenLimit
    let heads = model.configuration.heads
    let targets = (0..<model.configuration.headCount).map { place in
      let head = GraphNode.head(layer: place / heads, head: place % heads)
      return InterventionTarget(head.description, [head])
    }
    margins = try InterventionStudy(model, cut.task, options).effects(of: targets, progress: progress).values
      .map { Array($0[cut.kept]) }
    baseline = try model.answerScores(set, part: part, metric: metric, tokenLimit: tokenLimit)
  }

  /// What parts of the positive prompts measured, one part after the other.
  ///
  /// - Parameters:
  ///   - baseline: the scores with every head in place, by prompt.
  ///   - margins: the margins with one head replaced, by head and prompt.
  /// - Throws: `TaskError` as measuring does.
  public init(
    of set: PromptSet, model: Transformer, replacement: HeadReplacement, metric: AnswerMetric?,
    baseline: [AnswerScore], margins: [[Double]]
  ) throws {
    let scorable = try ScorablePrompts(set, metric: metric)
    precondition(
      baseline.count == scorable.prompts.count && margins.count == model.configuration.headCount
        && margins.allSatisfy { $0.count == baseline.count },
      "\(baseline.count) scores and \(margins.count) heads' margins of \(scorable.prompts.count) prompts")
    layers = model.configuration.layers
    headsPerLayer = model.configuration.heads
    self.metric = scorable.metric
    self.replacement = replacement
    prompts = Array(baseline.indices)
    self.baseline = baseline
    self.margins = margins
  }

  /// How many prompts of a set are measured.
  /// - Throws: `TaskError` where prompts have no answers.
  public static func promptCount(_ set: PromptSet, metric: AnswerMetric? = nil) throws -> Int {
    try ScorablePrompts(set, metric: metric).prompts.count
  }

  /// The prompts as they are patched: with the donors that the replacement takes its values from.
  /// - Throws: `TaskError` for a prompt without a donor.
  private static func task(
    _ set: PromptSet, _ scorable: ScorablePrompts, _ replacement: HeadReplacement
  ) throws(TaskError) -> CausalTask {
    if replacement != .prompts { try set.requireNegatives() }
    if replacement == .pair {
      var negativeOf: [Int: Int] = [:]
      for (positive, negative) in set.pairs { negativeOf[positive] = negative }
      for index in scorable.indices {
        let length = negativeOf[index].map { set.prompts[$0].tokens.count }
        guard length == set.prompts[index].tokens.count else {
          let problem = "it has no negative of the same number of tokens to take values from"
          throw .badPrompt(source: set.task, prompt: index, problem: problem)
        }
      }
    }
    var task = try set.causalTask(
      metric: scorable.metric.causal, needsPairs: replacement == .pair)
    if replacement == .prompts { task.others = set.prompts.map(\.tokens) }
    let lengths = Set(task.others.map(\.count))
    for (index, prompt) in zip(scorable.indices, scorable.prompts)
    where replacement == .negatives && !lengths.contains(prompt.tokens.count) {
      let problem =
        "no negative has its \(prompt.tokens.count) tokens, so there is no mean to replace a head with"
      throw .badPrompt(source: set.task, prompt: index, problem: problem)
    }
    return task
  }

  /// The mean margin with every head in place.
  public var baselineMargin: Double { mean(baseline.map(\.margin)) }

  /// The share of prompts whose most likely next tokens are a right answer, with every head in place.
  public var accuracy: Double { Double(baseline.count(where: \.isRight)) / Double(baseline.count) }

  /// The loss of margin by replacing a head, as a share of the mean margin, with a 95 % bootstrap interval over
  /// prompts. Positive where the head helps, negative where it works against the answer.
  public func effect(of head: HeadIndex, seed: UInt64) -> HeadMeasurement.Effect {
    let changed = margins[head.layer * headsPerLayer + head.head]
    let base = baseline.map(\.margin)
    func share(_ indices: some Sequence<Int>) -> Double {
      var (lost, whole) = (0.0, 0.0)
      for index in indices {
        lost += base[index] - changed[index]
        whole += base[index]
      }
      return whole == 0 ? 0 : lost / whole
    }
    let interval = bootstrapInterval(of: base.count, seed: seed) { share($0) }
    return HeadMeasurement.Effect(
      head: head, effect: share(base.indices), low: interval.lowerBound, high: interval.upperBound)
  }

  /// The effects of all heads, by layer and head.
  public func effects(seed: UInt64) -> [HeadMeasurement.Effect] {
    (0..<layers * headsPerLayer).map { place in
      effect(of: HeadIndex(layer: place / headsPerLayer, head: place % headsPerLayer), seed: seed)
    }
  }
}

private func mean(_ values: [Double]) -> Double {
  values.reduce(0, +) / Double(values.count)
}
