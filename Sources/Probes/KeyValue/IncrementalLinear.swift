// A linear probe that learns as a bottleneck does: example by example, class after class.

import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Multinomial logistic regression by stochastic gradient steps, without a penalty.
struct IncrementalLinear: Classifier {
  let classCount: Int
  private var weights: DoubleMatrix
  private var intercepts: [Double]
  private let epochs: Int
  private var generator: SeededGenerator

  init(width: Int, classCount: Int, epochs: Int, seed: UInt64) {
    self.classCount = classCount
    self.epochs = epochs
    weights = DoubleMatrix(rows: classCount, columns: width)
    intercepts = [Double](repeating: 0, count: classCount)
    generator = SeededGenerator(seed: seed, stream: "incremental linear probe")
  }

  mutating func learn(_ rows: DoubleMatrix, _ labels: [Int]) {
    // A step that halves the error of a row of the usual length.
    let rate = 0.5 / Double(1 + rows.columns)
    for _ in 0..<epochs {
      for row in generator.permutation(of: labels.count) {
        let own = Array(rows.row(row))
        var scores = (0..<classCount).map { index in
          zip(weights.row(index), own).reduce(intercepts[index]) { $0 + $1.0 * $1.1 }
        }
        let most = scores.max() ?? 0
        scores = scores.map { exp($0 - most) }
        let sum = scores.reduce(0, +)
        for index in 0..<classCount {
          let slope = rate * (scores[index] / sum - (index == labels[row] ? 1 : 0))
          intercepts[index] -= slope
          for column in 0..<own.count { weights.values[index * own.count + column] -= slope * own[column] }
        }
      }
    }
  }

  func scores(_ rows: DoubleMatrix) -> DoubleMatrix {
    var result = doubleProduct(rows, weights, transposingB: true)
    for row in 0..<rows.rows {
      for index in 0..<classCount { result.values[row * classCount + index] += intercepts[index] }
    }
    return result
  }
}
