// What probes are: classifiers that are fitted to rows of numbers.

import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A fitted classifier.
public protocol Classifier: Sendable {
  /// The number of classes.
  var classCount: Int { get }

  /// The log of each class's probability, up to a constant of the row: `[row, class]`.
  func scores(_ rows: DoubleMatrix) -> DoubleMatrix
}

extension Classifier {
  /// The most probable class of each row; of equal ones the first.
  public func classes(_ rows: DoubleMatrix) -> [Int] {
    let scores = scores(rows)
    return (0..<scores.rows).map { index in
      let row = scores.row(index)
      var best = row.startIndex
      for place in row.indices where row[place] > row[best] { best = place }
      return best - row.startIndex
    }
  }

  /// The share of rows whose class is found.
  public func accuracy(_ rows: DoubleMatrix, _ labels: [Int]) -> Double {
    Double(zip(classes(rows), labels).count { $0 == $1 }) / Double(max(1, labels.count))
  }

  /// The sum of −ln p of the labels.
  public func logLoss(_ rows: DoubleMatrix, _ labels: [Int]) -> Double {
    let scores = scores(rows)
    return labels.indices.reduce(0.0) { sum, index in
      let row = scores.row(index)
      let most = row.max() ?? 0
      return sum + most + log(row.reduce(0) { $0 + exp($1 - most) }) - row[row.startIndex + labels[index]]
    }
  }
}
