// How much a head's activations change between a positive and its negative.

import Recordings
import SparseAutoencoders
import Tensors

/// Changes over pairs for every position (counted from the prompts' ends) and head, averaged over autoencoders.
///
/// Prompts of a pair are aligned at their ends, where the answer is due. In a recording without pairs the change is that
/// of the mean activations of the two labels, and no code changes.
struct ActivationChanges {
  /// `[positions][heads]`: the mean of ‖f⁺ − f⁻‖₁.
  private(set) var activation: [[Double]]
  /// `[positions][heads]`: the share of pairs whose code differs.
  private(set) var code: [[Double]]

  /// - Parameter heldOut: for each encoder the examples that may be scored; pairs count where both are.
  init(
    _ recording: Recording, averaging: Bool, encoders: [HeadEncoder], heldOut: [[Int]]
  ) throws {
    let heads = recording.description.layers * recording.description.heads
    let positions = recording.positionCount(averaging: averaging)
    let zeros = [[Double]](repeating: [Double](repeating: 0, count: heads), count: positions)
    (activation, code) = (zeros, zeros)
    for (encoder, allowed) in zip(encoders, heldOut) {
      let allowed = Set(allowed)
      let pairs = recording.pairs.filter { allowed.contains($0.positive) && allowed.contains($0.negative) }
      var tally = ChangeTally(positions: positions, heads: heads)
      if pairs.isEmpty {
        try tally.addMeans(recording, averaging: averaging, encoder: encoder, allowed: allowed)
      } else {
        for pair in pairs {
          try tally.add(pair, of: recording, averaging: averaging, encoder: encoder)
        }
      }
      for position in 0..<positions {
        let count = Double(max(tally.counts[position], 1)) * Double(encoders.count)
        for head in 0..<heads {
          activation[position][head] += tally.activation[position][head] / count
          code[position][head] += tally.code[position][head] / count
        }
      }
    }
  }

  /// Each head's largest value over positions, and where it is (the last position among equals).
  static func strongest(of values: [[Double]]) -> ([Double], [Int]) {
    let heads = values[0].count
    let places = (0..<heads).map { head in
      values.indices.reduce(0) { values[$1][head] > values[$0][head] ? $1 : $0 }
    }
    return (places.enumerated().map { values[$1][$0] }, places)
  }
}

private struct ChangeTally {
  var activation: [[Double]]
  var code: [[Double]]
  /// How many pairs reach each position.
  var counts: [Int]

  init(positions: Int, heads: Int) {
    activation = [[Double]](repeating: [Double](repeating: 0, count: heads), count: positions)
    code = activation
    counts = [Int](repeating: 0, count: positions)
  }

  private var heads: Int { activation[0].count }

  /// Adds one pair.
  mutating func add(
    _ pair: ExamplePair, of recording: Recording, averaging: Bool, encoder: HeadEncoder
  ) throws {
    let sides = try [pair.positive, pair.negative].map { example in
      let samples = try recording.headSamples(example..<example + 1, averaging: averaging)
      return encoder(
        samples.reshaped([samples.count / recording.description.dModel, recording.description.dModel]))
    }
    let positiveCodes = codes(of: sides[0], empty: .none)
    let negativeCodes = codes(of: sides[1], empty: .none)
    let lengths = [pair.positive, pair.negative].map {
      counts.count == 1 ? 1 : recording.examples[$0].tokens.count
    }
    let heads = heads
    let features = sides[0].shape[1]
    for offset in 0..<min(lengths[0], lengths[1]) {
      counts[offset] += 1
      let starts = lengths.map { ($0 - 1 - offset) * heads }
      for head in 0..<heads {
        if positiveCodes[starts[0] + head] != negativeCodes[starts[1] + head] { code[offset][head] += 1 }
        activation[offset][head] += sides[0].withValues { positive in
          sides[1].withValues { negative in
            var sum: Float = 0
            let (a, b) = ((starts[0] + head) * features, (starts[1] + head) * features)
            for feature in 0..<features { sum += (positive[a + feature] - negative[b + feature]).magnitude }
            return Double(sum)
          }
        }
      }
    }
  }

  /// Adds the change between the labels' mean activations, as if it were one pair.
  mutating func addMeans(
    _ recording: Recording, averaging: Bool, encoder: HeadEncoder, allowed: Set<Int>
  ) throws {
    let heads = heads
    // Sums for each label, position and head, over features.
    var sums: [[Float]] = []
    var seen = [[Int]](repeating: [Int](repeating: 0, count: counts.count), count: 2)
    var features = 0
    try recording.forEachEncoded(averaging: averaging, encoder: encoder) { example, activations in
      features = activations.shape[1]
      if sums.isEmpty {
        sums = [[Float]](repeating: [Float](repeating: 0, count: counts.count * heads * features), count: 2)
      }
      guard allowed.contains(example) else { return }
      let label = recording.examples[example].isPositive ? 1 : 0
      let length = counts.count == 1 ? 1 : recording.examples[example].tokens.count
      let block = heads * features
      activations.withValues { values in
        for offset in 0..<length {
          seen[label][offset] += 1
          let start = (length - 1 - offset) * block
          for index in 0..<block { sums[label][offset * block + index] += values[start + index] }
        }
      }
    }
    for offset in counts.indices where seen[0][offset] > 0 && seen[1][offset] > 0 {
      counts[offset] = 1
      for head in 0..<heads {
        let start = (offset * heads + head) * features
        activation[offset][head] = (start..<start + features).reduce(0) { sum, index in
          sum
            + Double(
              (sums[1][index] / Float(seen[1][offset]) - sums[0][index] / Float(seen[0][offset])).magnitude)
        }
      }
    }
  }
}
