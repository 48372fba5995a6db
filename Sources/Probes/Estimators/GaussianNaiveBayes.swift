// Naive Bayes with a normal distribution for each class and feature.

import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Gaussian naive Bayes: features are taken to be independent given the class.
///
/// Variances are raised by 1e-9 of the largest variance of a feature, as scikit-learn's `GaussianNB` does. It reaches its
/// best accuracy with about log(features) examples, where logistic regression takes about as many as there are features
/// (Ng & Jordan 2002; Zheng et al. 2023, arXiv 2302.02334).
public struct GaussianNaiveBayes: Classifier, Equatable {
  /// ln of each class's share.
  public let priors: [Double]
  /// `[class, feature]`.
  public let means: DoubleMatrix
  /// `[class, feature]`.
  public let variances: DoubleMatrix

  /// The number of classes.
  public var classCount: Int { priors.count }

  /// Fits rows of known classes; a class without rows is never chosen.
  public init(_ rows: DoubleMatrix, _ labels: [Int], classCount: Int) {
    precondition(rows.rows == labels.count, "\(labels.count) labels for \(rows.rows) rows")
    let width = rows.columns
    let smoothing = 1e-9 * (Self.moments(rows).variances.max() ?? 0)
    var (means, variances): ([Double], [Double]) = ([], [])
    var priors: [Double] = []
    for index in 0..<classCount {
      let members = labels.indices.filter { labels[$0] == index }
      let found = Self.moments(rows.selected(members))
      means += found.means
      variances += found.variances.map { max($0 + smoothing, .leastNormalMagnitude) }
      priors.append(log(Double(members.count) / Double(max(1, rows.rows))))
    }
    self.priors = priors
    self.means = DoubleMatrix(means, rows: classCount, columns: width)
    self.variances = DoubleMatrix(variances, rows: classCount, columns: width)
  }

  private static func moments(_ rows: DoubleMatrix) -> (means: [Double], variances: [Double]) {
    let means = rows.meanRow
    var variances = [Double](repeating: 0, count: rows.columns)
    for index in 0..<rows.rows {
      let start = index * rows.columns
      for column in 0..<rows.columns {
        let distance = rows.values[start + column] - means[column]
        variances[column] += distance * distance
      }
    }
    return (means, variances.map { $0 / Double(max(1, rows.rows)) })
  }

  /// The joint log-likelihood of each class.
  public func scores(_ rows: DoubleMatrix) -> DoubleMatrix {
    let width = rows.columns
    var result = DoubleMatrix(rows: rows.rows, columns: classCount)
    for index in 0..<classCount {
      guard priors[index].isFinite else {
        for row in 0..<rows.rows { result.values[row * classCount + index] = -.infinity }
        continue
      }
      let mean = Array(means.row(index))
      let precision = variances.row(index).map { 0.5 / $0 }
      let constant = priors[index] - variances.row(index).reduce(0) { $0 + log(2 * .pi * $1) } / 2
      for row in 0..<rows.rows {
        let start = row * width
        var sum = constant
        for column in 0..<width {
          let distance = rows.values[start + column] - mean[column]
          sum -= distance * distance * precision[column]
        }
        result.values[row * classCount + index] = sum
      }
    }
    return result
  }
}
