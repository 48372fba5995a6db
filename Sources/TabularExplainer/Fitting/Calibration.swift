// Boosted trees on small tables are surer than they should be: their scores are shrunk by what cross-fitting shows.

import Tables
import Tensors
import Trees

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// How much the scores of a classifier are to be shrunk (temperature scaling, Guo et al. 2017, arXiv 1706.04599).
///
/// One factor for all scores changes no prediction's class and no order of rows.
public struct Calibration: Sendable, Equatable {
  /// What scores are multiplied by; at most 1.
  public let factor: Double

  /// The factor for which probabilities of rows that the model was not fitted to are likeliest.
  /// - Parameter probabilities: shape `[rows, classes]`, cross-fitted.
  public init(_ probabilities: Tensor, labels: [Int]) {
    let (rows, width) = (probabilities.shape[0], probabilities.shape[1])
    let logs = probabilities.values.map { log(max(Double($0), 1e-12)) }
    func loss(_ factor: Double) -> Double {
      var sum = 0.0
      for row in 0..<rows {
        let own = logs[row * width..<(row + 1) * width].map { $0 * factor }
        let largest = own.max() ?? 0
        sum += largest + log(own.reduce(0) { $0 + exp($1 - largest) }) - own[labels[row]]
      }
      return sum
    }
    // The loss is convex in the factor: golden section.
    var (low, high) = (0.05, 1.0)
    let ratio = (5.0.squareRoot() - 1) / 2
    for _ in 0..<30 {
      let (left, right) = (high - ratio * (high - low), low + ratio * (high - low))
      if loss(left) <= loss(right) { high = right } else { low = left }
    }
    factor = rows == 0 || high > 0.995 ? 1 : (low + high) / 2
  }

  /// Cross-fitted probabilities, each fold's shrunk by what the other folds show: as a calibrated model would say of rows
  /// that it has not seen.
  /// - Parameter folds: the held rows of each fold.
  public static func crossApplied(to probabilities: Tensor, labels: [Int], folds: [[Int]]) -> Tensor {
    let width = probabilities.shape[1]
    let all = probabilities.values
    func part(_ rows: [Int]) -> Tensor {
      Tensor(
        rows.flatMap { all[$0 * width..<($0 + 1) * width] }, shape: [rows.count, width])
    }
    var result = all
    for (place, held) in folds.enumerated() {
      let others = folds.indices.filter { $0 != place }.flatMap { folds[$0] }
      let calibration = Calibration(part(others), labels: others.map { labels[$0] })
      let shrunk = calibration.applied(to: part(held)).values
      for (index, row) in held.enumerated() {
        for output in 0..<width { result[row * width + output] = shrunk[index * width + output] }
      }
    }
    return Tensor(result, shape: probabilities.shape)
  }

  /// Probabilities with shrunk scores.
  public func applied(to probabilities: Tensor) -> Tensor {
    let width = probabilities.shape[1]
    var values = probabilities.values
    for start in stride(from: 0, to: values.count, by: max(1, width)) {
      let own = values[start..<start + width].map { exp(log(max(Double($0), 1e-30)) * factor) }
      let sum = own.reduce(0, +)
      for place in 0..<width { values[start + place] = Float(own[place] / sum) }
    }
    return Tensor(values, shape: probabilities.shape)
  }
}
