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
  /// `[class][feature]`.
  public let means: [[Double]]
  /// `[class][feature]`.
  public let variances: [[Double]]

  /// The number of classes.
  public var classCount: Int { priors.count }

  /// Fits rows `[rows, width]` of known classes; a class without rows is never chosen.
  public init(_ rows: Tensor, _ labels: [Int], classCount: Int) {
    precondition(rows.shape[0] == labels.count, "\(labels.count) labels for rows \(rows.shape)")
    let (count, width) = (rows.shape[0], rows.shape[1])
    let values = rows.values
    func moments(_ members: [Int]) -> (means: [Double], variances: [Double]) {
      let share = 1 / Double(max(1, members.count))
      var means = [Double](repeating: 0, count: width)
      for row in members {
        for column in 0..<width { means[column] += Double(values[row * width + column]) * share }
      }
      var variances = [Double](repeating: 0, count: width)
      for row in members {
        for column in 0..<width {
          let distance = Double(values[row * width + column]) - means[column]
          variances[column] += distance * distance * share
        }
      }
      return (means, variances)
    }
    let smoothing = 1e-9 * (moments(Array(0..<count)).variances.max() ?? 0)
    let members = (0..<classCount).map { index in labels.indices.filter { labels[$0] == index } }
    let found = members.map(moments)
    priors = members.map { log(Double($0.count) / Double(max(1, count))) }
    means = found.map(\.means)
    variances = found.map { $0.variances.map { max($0 + smoothing, .leastNormalMagnitude) } }
  }

  /// The joint log-likelihood of each class.
  public func scores(_ rows: Tensor) -> [[Double]] {
    let (count, width) = (rows.shape[0], rows.shape[1])
    let constants = variances.map { $0.reduce(0) { $0 + log(2 * .pi * $1) } / 2 }
    return rows.withValues { values in
      (0..<count).map { row in
        (0..<classCount).map { index in
          guard priors[index].isFinite else { return -.infinity }
          var sum = priors[index] - constants[index]
          for column in 0..<width {
            let distance = Double(values[row * width + column]) - means[index][column]
            sum -= distance * distance / (2 * variances[index][column])
          }
          return sum
        }
      }
    }
  }
}
