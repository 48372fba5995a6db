// Which features may have been woken by the last update, and which cannot.

import Tensors

/// Bounds on the activations of features that no sample of a block showed when they were last encoded.
///
/// With `pre = (x − b)·e + c`, a change of e by δ, of c by γ and of b by β raises no sample's value by more than
/// `‖δ‖·max‖x − b‖ + γ − β·(e + δ)`. A feature whose largest value in a block was −m is silent there until such changes
/// add up to m. Blocks hold samples of similar length, so that a few long ones do not wake features for all.
struct SilenceScreen: Sendable {
  /// `[blocks · features]`: how far each feature is below its first activation, at least; negative where it may be active.
  private var margins: [Float]
  private let features: Int
  /// The longest sample of each block.
  private let sampleLengths: [Float]

  /// - Parameter sampleLengths: the longest sample of each block.
  init(features: Int, sampleLengths: [Float]) {
    self.features = features
    self.sampleLengths = sampleLengths
    margins = [Float](repeating: -1, count: sampleLengths.count * features)
  }

  /// The features that must be encoded in a block.
  func features(block: Int) -> [Int32] {
    let start = block * features
    return (0..<features).filter { margins[start + $0] <= 0 }.map { Int32($0) }
  }

  /// Takes in the largest value of each encoded feature over a block's samples.
  mutating func observe(largest: [Float], of encoded: [Int32], block: Int) {
    for (feature, value) in zip(encoded, largest) {
      // Values are sums of rounded products: a thousandth of the samples' length is far above what rounding can do.
      margins[block * features + Int(feature)] = -value - 1e-3 * sampleLengths[block]
    }
  }

  /// Takes in an update.
  ///
  /// - Parameters:
  ///   - movements: lengths of the encoder rows' changes.
  ///   - offsets: changes of c.
  ///   - pulls: products of the changed rows with the change of the tied bias.
  ///   - bias: length of the change of the tied bias; `biasLength`: its own.
  mutating func weightsMoved(
    by movements: [Float], offsets: [Float], pulls: [Float], bias: Float, biasLength: Float
  ) {
    for (block, length) in sampleLengths.enumerated() {
      // Scaling the row back to unit length at most doubles its movement.
      let reach = 2 * (length + biasLength + bias)
      let start = block * features
      for feature in 0..<features {
        margins[start + feature] -= movements[feature] * reach + offsets[feature] - pulls[feature]
      }
    }
  }
}
