// What samples that show no feature add to the loss and to the tied bias's gradient, without going through them.

import Tensors

/// The samples that no feature is active on are all reconstructed as b: their residuals b − x are known from sums.
struct SilentSamples: Sendable {
  /// Σ x over all samples.
  private let sums: [Double]
  /// ‖x‖² of each sample.
  private let squares: [Double]

  init(_ samples: Tensor) {
    let width = samples.shape[1]
    var sums = [Double](repeating: 0, count: width)
    squares = samples.withValues { values in
      (0..<samples.shape[0]).map { row in
        var square = 0.0
        for column in 0..<width {
          let value = Double(values[row * width + column])
          sums[column] += value
          square += value * value
        }
        return square
      }
    }
    self.sums = sums
  }

  /// The squared length of the residuals of all samples but the shown ones, and the residuals' sum.
  /// - Parameter shownSum: Σ x over the shown samples.
  func residuals(shown: [Int32], shownSum: [Float], bias: [Float]) -> (squares: Double, sum: [Double]) {
    let count = Double(squares.count - shown.count)
    var total = squares.reduce(0, +) - shown.reduce(0) { $0 + squares[Int($1)] }
    var residuals = [Double](repeating: 0, count: sums.count)
    for column in sums.indices {
      let (b, silent) = (Double(bias[column]), sums[column] - Double(shownSum[column]))
      residuals[column] = count * b - silent
      total += b * (count * b - 2 * silent)
    }
    return (total, residuals)
  }
}
