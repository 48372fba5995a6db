// Prompts that are unlike those that something was trained on.

import Recordings
import Tensors

/// Prompts of a recording that a model of normality would hardly show, with how seldom that happens by chance.
public struct OddPrompts: Sendable, Equatable {
  /// One of them.
  public struct Prompt: Sendable, Equatable {
    /// Its index in the recording.
    public var index: Int
    /// The probability of a normal prompt being as odd.
    public var pValue: Double
  }

  /// The odd prompts, the oddest first.
  public let prompts: [Prompt]
  /// Prompts that were scored.
  public let count: Int
  /// The probability of naming any prompt where all are normal.
  public let rate: Double

  /// The prompts whose probability is below the rate divided by their number (Bonferroni).
  /// - Parameter pValues: of prompts by index.
  public init(pValues: [(index: Int, pValue: Double)], rate: Double = 0.01) {
    count = pValues.count
    self.rate = rate
    let limit = rate / Double(max(1, pValues.count))
    prompts = pValues.filter { $0.pValue < limit }.sorted { ($0.pValue, $0.index) < ($1.pValue, $1.index) }
      .map { Prompt(index: $0.index, pValue: $0.pValue) }
  }
}

extension Normality {
  /// Prompts that a fit takes, at most: more take longer, and with fewer than some five times the width odd prompts are hard
  /// to tell.
  public static let mostTrainingPrompts = 512

  /// A fit to the prompts of a recording that a dictionary was trained on, and the prompts that are unlike them; nil where
  /// there are too few to say so.
  ///
  /// Each prompt of the fit is scored by a fit to others. Where fewer than half of `mostTrainingPrompts` train, prompts drawn
  /// from the whole recording, of which they are a part, stand in for them.
  /// - Throws: `RecordingError` where the file is damaged.
  public static func oddPrompts(
    of recording: Recording, trainedOn training: [Int], groups: [Int], seed: UInt64
  ) throws -> (normality: Normality, odd: OddPrompts)? {
    var generator = SeededGenerator(seed: seed, stream: "normal prompts")
    let named =
      training.count >= mostTrainingPrompts / 2 ? training : Array(recording.examples.indices)
    // Whole groups, as they stand on one side of a split.
    let byGroup = Dictionary(grouping: named) { groups[$0] }.sorted { $0.key < $1.key }.map(\.value)
    var chosen: [Int] = []
    for group in generator.permutation(of: byGroup.count) where chosen.count < mostTrainingPrompts {
      chosen += byGroup[group]
    }
    chosen.sort()
    guard chosen.count >= leastPrompts, byGroup.count >= 2 else { return nil }
    var options = NormalityOptions()
    (options.seed, options.foldCount) = (seed, 3)
    let fitted = try fit(recording, prompts: chosen, groups: groups, options)
    let own = Set(chosen)
    let others = recording.examples.indices.filter { !own.contains($0) }
    let scores = try fitted.normality.scores(recording, prompts: others).totals
    let spread = fitted.normality.bound
    let pValues =
      zip(chosen, fitted.heldOut.totals).map { (index: $0, pValue: spread.tail($1)) }
      + zip(others, scores).map { (index: $0, pValue: spread.tail($1)) }
    return (fitted.normality, OddPrompts(pValues: pValues))
  }

  /// The prompts of a recording that are unlike those this was fitted to.
  /// - Throws: as `scores`.
  public func oddPrompts(of recording: Recording) throws -> OddPrompts {
    let prompts = Array(recording.examples.indices)
    let scores = try scores(recording, prompts: prompts).totals
    return OddPrompts(pValues: zip(prompts, scores).map { (index: $0, pValue: bound.tail($1)) })
  }
}
