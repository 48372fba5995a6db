// What every head shows on every example under one encoder, measured once: scores of any draw of the prompts follow
// from it without encoding anything again.

import Recordings
import SparseAutoencoders
import Tensors

/// Codes, and where they are asked for paired changes, of all heads under one encoder.
///
/// Positions are counted from the prompts' ends, where the answer is due; prompts of a pair are aligned there too.
struct HeadMeasurements: Sendable {
  /// `[positions]`: the codes of all examples; −1 past a prompt's start.
  private(set) var codes: [HeadCodes]
  /// Whether an example may be scored: in most protocols those that were not trained on.
  let isScored: [Bool]
  /// The changes of learned activations; nil where no score needs them.
  private(set) var changes: ActivationChanges?
  /// How many positions each example has.
  private let lengths: [Int]
  /// The number of samples (an example's head at a position) that show no code.
  var withoutCode: Int {
    codes.indices.reduce(0) { sum, offset in
      sum
        + lengths.indices.reduce(0) { sum, example in
          guard lengths[example] > offset else { return sum }
          return sum + (0..<codes[offset].heads).count { codes[offset][example, $0] < 0 }
        }
    }
  }
  /// The number of samples.
  var sampleCount: Int { lengths.reduce(0, +) * codes[0].heads }

  /// Encodes a recording.
  /// - Parameter withChanges: whether paired changes are wanted too.
  init(
    _ recording: Recording, averaging: Bool, encoder: HeadEncoder, empty: EmptyCode, isScored: [Bool],
    withChanges: Bool
  ) throws {
    let heads = recording.description.layers * recording.description.heads
    let positions = recording.positionCount(averaging: averaging)
    let lengths = recording.examples.map { positions == 1 ? 1 : $0.tokens.count }
    var values = [[Int32]](repeating: [], count: positions)
    for index in values.indices { values[index].reserveCapacity(recording.examples.count * heads) }
    var changes =
      withChanges ? ActivationChanges(recording, positions: positions, heads: heads, lengths: lengths) : nil
    try recording.forEachEncoded(
      averaging: averaging, encoder: encoder,
      find: { (codes: SparseAutoencoders.codes(of: $0, empty: empty), activations: withChanges ? $0 : nil) }
    ) { example, found in
      let codes = found.codes
      let length = lengths[example]
      for offset in 0..<positions {
        let start = (length - 1 - offset) * heads
        if offset < length {
          values[offset].append(contentsOf: codes[start..<start + heads])
        } else {
          // Past the prompt's start there is no position, hence no code.
          values[offset].append(contentsOf: repeatElement(-1, count: heads))
        }
      }
      guard let activations = found.activations else { return }
      try changes?.add(example, activations, isScored: isScored) { partner in
        let samples = try recording.headSamples(partner..<partner + 1, averaging: averaging)
        return encoder(
          samples.reshaped([samples.count / recording.description.dModel, recording.description.dModel]))
      }
    }
    codes = values.map { HeadCodes($0, heads: heads) }
    self.isScored = isScored
    self.changes = changes
    self.lengths = lengths
  }

  /// The examples to score in a draw, each once: those drawn at least once that may be scored.
  func examples(in draw: PromptDraw) -> [Int] {
    isScored.indices.filter { isScored[$0] && draw.weights[$0] > 0 }
  }

  /// A score for each position and head, `[positions][heads]`.
  ///
  /// Scores that count different codes do not depend on how often a prompt was drawn; those that are means do.
  func scores(by score: HeadScore, labels: [Bool], pairs: [ExamplePair], draw: PromptDraw) -> [[Double]] {
    switch score {
    case .uniqueCodes(let normalised):
      let examples = examples(in: draw)
      return codes.map { codes in
        codeCounts(codes, labels: labels, examples: examples).map { $0.score(normalised: normalised) }
      }
    case .pairMentions(let normalised, let ties):
      let examples = examples(in: draw)
      let pairs = PairScores(codes[0].selecting(examples), labels: examples.map { labels[$0] })
      return [
        headMentions(heads: pairs.heads, ties: ties) { pairs.score($0, $1, normalised: normalised) }
      ]
    case .pairedCodeChange:
      let drawn = pairs.map { scoredWeight(of: $0, in: draw) }
      return codes.indices.map { offset in
        let reaching = zip(pairs, drawn).map { pair, weight in
          min(lengths[pair.positive], lengths[pair.negative]) > offset ? weight : 0
        }
        return codes[offset].changes(pairs, weights: reaching)
      }
    case .pairedActivationChange:
      return changes?.means(pairs.map { scoredWeight(of: $0, in: draw) }) ?? []
    }
  }

  /// How often a pair counts in a draw; never where either example may not be scored.
  private func scoredWeight(of pair: ExamplePair, in draw: PromptDraw) -> Int {
    isScored[pair.positive] && isScored[pair.negative] ? draw.weights[pair.positive] : 0
  }
}

extension HeadCodes {
  /// The share of pairs whose code differs, for each head; each pair counts `weights` times.
  fileprivate func changes(_ pairs: [ExamplePair], weights: [Int]) -> [Double] {
    var changed = [Int](repeating: 0, count: heads)
    for (pair, weight) in zip(pairs, weights) where weight > 0 {
      for head in 0..<heads where self[pair.positive, head] != self[pair.negative, head] {
        changed[head] += weight
      }
    }
    let total = max(1, weights.reduce(0, +))
    return changed.map { Double($0) / Double(total) }
  }
}

/// Each head's largest value over positions, and where it is: the one nearest the prompt's end among equals.
func strongestPositions(of values: [[Double]]) -> (scores: [Double], offsets: [Int]) {
  let heads = values.first?.count ?? 0
  let offsets = (0..<heads).map { head in
    values.indices.reduce(0) { values[$1][head] > values[$0][head] ? $1 : $0 }
  }
  return (offsets.enumerated().map { values[$1][$0] }, offsets)
}
