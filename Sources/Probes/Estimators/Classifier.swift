// What probes are: classifiers that are fitted to rows of numbers.

import Tensors

/// A fitted classifier.
public protocol Classifier: Sendable {
  /// The number of classes.
  var classCount: Int { get }

  /// The log of each class's probability, up to a constant of the row, for rows `[rows, width]`: `[rows][class]`.
  func scores(_ rows: Tensor) -> [[Double]]
}

extension Classifier {
  /// The most probable class of each row; of equal ones the first.
  public func classes(_ rows: Tensor) -> [Int] {
    scores(rows).map { scores in
      scores.indices.reduce(0) { scores[$1] > scores[$0] ? $1 : $0 }
    }
  }

  /// The share of rows whose class is found.
  public func accuracy(_ rows: Tensor, _ labels: [Int]) -> Double {
    let found = classes(rows)
    return Double(zip(found, labels).count { $0 == $1 }) / Double(max(1, labels.count))
  }
}
