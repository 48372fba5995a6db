// Which features may have been woken by the last update, and which cannot.

/// Bounds on the activations of features that no sample showed when they were last encoded.
///
/// With `pre = (x − b)·e + c`, a change of e by δ, of c by γ and of b by β raises no sample's value by more than
/// `‖δ‖·max‖x − b‖ + γ − β·(e + δ)`. A feature whose largest value was −m is silent until such changes add up to m.
struct SilenceScreen: Sendable {
  /// How far each feature is below its first activation, at least; negative where it may be active.
  private var margins: [Float]
  private let sampleLength: Float
  let allFeatures: [Int32]

  init(features: Int, samples: Tensor) {
    margins = [Float](repeating: -1, count: features)
    allFeatures = (0..<features).map { Int32($0) }
    sampleLength = samples.largestRowLength()
  }

  /// The features that must be encoded.
  func features() -> [Int32] { allFeatures.filter { margins[Int($0)] <= 0 } }

  /// Takes in the largest value of each encoded feature over all samples.
  mutating func observe(largest: [Float], of features: [Int32]) {
    for (feature, value) in zip(features, largest) {
      // Values are sums of rounded products: a thousandth of the samples' length is far above what rounding can do.
      margins[Int(feature)] = -value - 1e-3 * sampleLength
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
    for feature in margins.indices {
      // Scaling the row back to unit length at most doubles its movement.
      margins[feature] -=
        2 * movements[feature] * (sampleLength + biasLength + bias) + offsets[feature] - pulls[feature]
    }
  }
}
