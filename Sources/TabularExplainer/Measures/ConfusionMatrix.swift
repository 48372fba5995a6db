// Counts of (true class, predicted class), and the measures that need no more than these.

/// Weighted counts `[true class, predicted class]`.
public struct ConfusionMatrix: Sendable, Equatable {
  /// The number of classes.
  public let classCount: Int
  /// Row-major counts.
  public private(set) var counts: [Double]

  /// Counts of `predicted` against `labels`; every row counts one where no weights are given.
  public init(labels: [Int], predicted: [Int], classCount: Int, weights: [Double]? = nil) {
    precondition(labels.count == predicted.count, "\(labels.count) labels, \(predicted.count) predictions")
    self.classCount = classCount
    counts = [Double](repeating: 0, count: classCount * classCount)
    for row in labels.indices {
      counts[labels[row] * classCount + predicted[row]] += weights?[row] ?? 1
    }
  }

  private var total: Double { counts.reduce(0, +) }

  private func hits(_ index: Int) -> Double { counts[index * classCount + index] }

  /// How much weight truly is of a class.
  private func support(_ index: Int) -> Double {
    (0..<classCount).reduce(0) { $0 + counts[index * classCount + $1] }
  }

  /// How much weight is predicted to be of a class.
  private func claims(_ index: Int) -> Double {
    (0..<classCount).reduce(0) { $0 + counts[$1 * classCount + index] }
  }

  /// The share of rows whose class was predicted.
  public var accuracy: Double {
    (0..<classCount).reduce(0) { $0 + hits($1) } / total
  }

  /// The mean recall of the classes that occur.
  public var balancedAccuracy: Double {
    let recalls = (0..<classCount).compactMap { support($0) > 0 ? hits($0) / support($0) : nil }
    return recalls.reduce(0, +) / Double(recalls.count)
  }

  /// The mean F1 of the classes that occur or are predicted.
  public var macroF1: Double {
    let scores: [Double] = (0..<classCount).compactMap { index in
      let sum = support(index) + claims(index)
      return sum > 0 ? 2 * hits(index) / sum : nil
    }
    return scores.reduce(0, +) / Double(scores.count)
  }

  /// Matthews' correlation coefficient for any number of classes (Gorodkin 2004, equation 8); 0 where undefined.
  public var matthewsCorrelation: Double {
    let supports = (0..<classCount).map { support($0) }
    let claimed = (0..<classCount).map { claims($0) }
    let correct = (0..<classCount).reduce(0) { $0 + hits($1) }
    let all = total
    let cross = zip(supports, claimed).reduce(0) { $0 + $1.0 * $1.1 }
    let truth = all * all - supports.reduce(0) { $0 + $1 * $1 }
    let claim = all * all - claimed.reduce(0) { $0 + $1 * $1 }
    return truth * claim == 0 ? 0 : (correct * all - cross) / (truth * claim).squareRoot()
  }
}
