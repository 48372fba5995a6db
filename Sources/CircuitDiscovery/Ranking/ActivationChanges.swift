// How much each head's activations change between a positive and its negative, pair by pair.

import Recordings
import Tensors

/// ‖f⁺ − f⁻‖₁ of every pair, position (counted from the prompts' ends) and head.
///
/// A recording without pairs has one change instead: that between the two labels' mean activations.
struct ActivationChanges: Sendable {
  private let positions: Int
  private let heads: Int
  /// The pair an example belongs to, and its partner; nil for an example without one.
  private let pairOf: [(pair: Int, partner: Int)?]
  /// `[pairs · positions · heads]`.
  private var values: [Double]
  /// `[pairs]`: how many positions both prompts reach.
  private var reached: [Int]
  /// The partner's activations that are kept for the next example, as pairs mostly stand side by side.
  private var kept: (example: Int, activations: Tensor)?
  private var means: LabelMeans?
  private let labels: [Bool]
  private let lengths: [Int]

  /// - Parameter lengths: how many positions each example has.
  init(_ recording: Recording, positions: Int, heads: Int, lengths: [Int]) {
    self.positions = positions
    self.heads = heads
    let pairs = recording.pairs
    var pairOf = [(pair: Int, partner: Int)?](repeating: nil, count: recording.examples.count)
    for (index, pair) in pairs.enumerated() {
      pairOf[pair.positive] = (index, pair.negative)
      pairOf[pair.negative] = (index, pair.positive)
    }
    self.pairOf = pairOf
    values = [Double](repeating: 0, count: pairs.count * positions * heads)
    reached = [Int](repeating: 0, count: pairs.count)
    labels = recording.labels
    self.lengths = lengths
    means = pairs.isEmpty ? LabelMeans(positions: positions, heads: heads) : nil
  }

  /// Takes in one example; examples come in order.
  /// - Parameter encoding: the activations of an example that came long before.
  mutating func add(
    _ example: Int, _ activations: Tensor, isScored: [Bool], encoding: (Int) throws -> Tensor
  ) throws {
    let length = lengths[example]
    if means != nil {
      if isScored[example] { means?.add(activations, length: length, isPositive: labels[example]) }
      return
    }
    guard let (pair, partner) = pairOf[example], isScored[example], isScored[partner] else { return }
    guard partner < example else {
      kept = (example, activations)
      return
    }
    let other: Tensor
    if let kept, kept.example == partner { other = kept.activations } else { other = try encoding(partner) }
    let features = activations.shape[1]
    reached[pair] = min(length, lengths[partner])
    for offset in 0..<reached[pair] {
      let (here, there) = ((length - 1 - offset) * heads, (lengths[partner] - 1 - offset) * heads)
      activations.withValues { one in
        other.withValues { two in
          for head in 0..<heads {
            var sum: Float = 0
            let (a, b) = ((here + head) * features, (there + head) * features)
            for feature in 0..<features { sum += (one[a + feature] - two[b + feature]).magnitude }
            values[(pair * positions + offset) * heads + head] = Double(sum)
          }
        }
      }
    }
  }

  /// The mean over pairs at each position, `[positions][heads]`, each pair counted `weights` times.
  func means(_ weights: [Int]) -> [[Double]] {
    if let means { return means.changes }
    return (0..<positions).map { offset in
      var sums = [Double](repeating: 0, count: heads)
      var count = 0
      for (pair, weight) in weights.enumerated() where weight > 0 && offset < reached[pair] {
        count += weight
        let start = (pair * positions + offset) * heads
        for head in 0..<heads { sums[head] += Double(weight) * values[start + head] }
      }
      return sums.map { $0 / Double(max(count, 1)) }
    }
  }
}

/// Mean activations of both labels, for recordings without pairs.
private struct LabelMeans: Sendable {
  let positions: Int
  let heads: Int
  /// For each label `[positions · heads · features]`; empty before the first example.
  private var sums: [[Float]] = [[], []]
  private var seen: [[Int]]
  private var features = 0

  init(positions: Int, heads: Int) {
    self.positions = positions
    self.heads = heads
    seen = [[Int]](repeating: [Int](repeating: 0, count: positions), count: 2)
  }

  mutating func add(_ activations: Tensor, length: Int, isPositive: Bool) {
    features = activations.shape[1]
    let block = heads * features
    let label = isPositive ? 1 : 0
    if sums[label].isEmpty { sums[label] = [Float](repeating: 0, count: positions * block) }
    activations.withValues { values in
      for offset in 0..<length {
        seen[label][offset] += 1
        let start = (length - 1 - offset) * block
        for index in 0..<block { sums[label][offset * block + index] += values[start + index] }
      }
    }
  }

  /// ‖mean f⁺ − mean f⁻‖₁, `[positions][heads]`; 0 where a label never reaches the position.
  var changes: [[Double]] {
    (0..<positions).map { offset in
      guard seen[0][offset] > 0, seen[1][offset] > 0 else { return [Double](repeating: 0, count: heads) }
      let scales = seen.map { 1 / Float($0[offset]) }
      return (0..<heads).map { head in
        let start = (offset * heads + head) * features
        return (start..<start + features).reduce(0) { sum, index in
          sum + Double((sums[1][index] * scales[1] - sums[0][index] * scales[0]).magnitude)
        }
      }
    }
  }
}
