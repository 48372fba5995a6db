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
  /// The scores with every head in place, by prompt.
  public let baseline: [AnswerScore]
  /// The margins with one head replaced, by head (`layer · headsPerLayer + head`) and prompt.
  public let margins: [[Double]]

  /// Measures every head of a model.
  ///
  /// Costs one run over the positives for each head, and one for the stand-ins.
  /// - Parameters:
  ///   - metric: how answers are compared; nil takes the set's own.
  ///   - tokenLimit: about how many tokens run at once.
  ///   - progress: called with the number of runs done and their total.
  /// - Throws: `TaskError` where prompts have no answers, or no negatives that could stand in;
  ///   `TransformerError` for prompts the model cannot read.
  public init(
    of set: PromptSet, model: Transformer, replacement: HeadReplacement = .negatives,
    metric: AnswerMetric? = nil, tokenLimit: Int = 2048, progress: (Int, Int) -> Void = { _, _ in }
  ) throws {
    let scorable = try ScorablePrompts(set, metric: metric)
    layers = model.configuration.layers
    headsPerLayer = model.configuration.heads
    self.metric = scorable.metric
    self.replacement = replacement
    let heads = layers * headsPerLayer
    var baseline = [AnswerScore](
      repeating: AnswerScore(margin: 0, isRight: false), count: scorable.prompts.count)
    var margins = [[Double]](
      repeating: [Double](repeating: 0, count: scorable.prompts.count), count: heads)

    let batches = Self.batches(of: scorable.prompts, tokenLimit: tokenLimit)
    let donors = try Donors(set, scorable, replacement)
    var means: [Int: StandIns] = [:]
    for (done, indices) in batches.enumerated() {
      let prompts = indices.map { scorable.prompts[$0] }
      let batch = TokenBatch(prompts.map(\.tokens))
      let standIns: StandIns
      if let paired = donors.paired(indices) {
        standIns = try StandIns(of: paired, model: model)
      } else if let known = means[batch.width] {
        standIns = known
      } else {
        standIns = try StandIns(
          meanOf: donors.sameLength(batch.width, for: indices[0]), model: model, tokenLimit: tokenLimit)
        means[batch.width] = standIns
      }
      for (index, score) in zip(indices, try model.answerScores(scorable, prompts, batch)) {
        baseline[index] = score
      }
      for layer in 0..<layers {
        let donor = standIns.values(layer: layer, count: prompts.count)
        for head in 0..<headsPerLayer {
          let edits = [HookPoint.z(layer: layer): Edit.patchingHead(head, from: donor)]
          let scores = try model.answerScores(scorable, prompts, batch, applying: edits)
          let place = layer * headsPerLayer + head
          for (index, score) in zip(indices, scores) { margins[place][index] = score.margin }
          progress(done * heads + place + 1, batches.count * heads)
        }
      }
    }
    self.baseline = baseline
    self.margins = margins
  }

  /// Prompts of exactly the same length, about `tokenLimit` tokens at once, by their indices.
  private static func batches(of prompts: [TokenizedPrompt], tokenLimit: Int) -> [[Int]] {
    let byLength = Dictionary(grouping: prompts.indices) { prompts[$0].tokens.count }
    return byLength.keys.sorted().flatMap { length -> [[Int]] in
      let indices = byLength[length] ?? []
      let size = max(1, tokenLimit / length)
      return stride(from: 0, to: indices.count, by: size).map {
        Array(indices[$0..<min($0 + size, indices.count)])
      }
    }
  }

  /// The mean margin with every head in place.
  public var baselineMargin: Double { mean(baseline.map(\.margin)) }

  /// The share of prompts whose most likely next token is right, with every head in place.
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

/// Which prompts' values stand in for a prompt's.
private struct Donors {
  private let set: PromptSet
  private let scorable: ScorablePrompts
  private let replacement: HeadReplacement
  private var negativeOf: [Int: Int] = [:]

  init(
    _ set: PromptSet, _ scorable: ScorablePrompts, _ replacement: HeadReplacement
  ) throws(TaskError) {
    self.set = set
    self.scorable = scorable
    self.replacement = replacement
    if replacement != .prompts { try set.requireNegatives() }
    guard replacement == .pair else { return }
    for (positive, negative) in set.pairs { negativeOf[positive] = negative }
    for index in scorable.indices {
      let length = negativeOf[index].map { set.prompts[$0].tokens.count }
      guard length == set.prompts[index].tokens.count else {
        let problem = "it has no negative of the same number of tokens to take values from"
        throw .badPrompt(source: set.task, prompt: index, problem: problem)
      }
    }
  }

  /// The negatives of scorable prompts, one for one; nil where a mean is asked for.
  func paired(_ indices: [Int]) -> [TokenizedPrompt]? {
    guard replacement == .pair else { return nil }
    return indices.compactMap { negativeOf[scorable.indices[$0]].map { set.prompts[$0] } }
  }

  /// The prompts of a length that the mean is over.
  func sameLength(_ length: Int, for index: Int) throws(TaskError) -> [TokenizedPrompt] {
    let donors = set.prompts.filter {
      $0.tokens.count == length && (replacement == .prompts || !$0.isPositive)
    }
    guard !donors.isEmpty else {
      let problem = "no negative has its \(length) tokens, so there is no mean to replace a head with"
      throw .badPrompt(source: set.task, prompt: scorable.indices[index], problem: problem)
    }
    return donors
  }
}
