// Logistic regression with an L2 penalty.

import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Logistic regression: binomial for two classes, multinomial for more. The intercept is not penalised.
///
/// Minimises C · Σ log-loss + ½ ‖w‖², as scikit-learn's `LogisticRegression` does.
public struct LogisticRegression: Classifier, Equatable {
  /// The number of classes.
  public let classCount: Int
  /// `[score, width]`: one score for two classes, else one a class.
  public let weights: [[Double]]
  /// One a score.
  public let intercepts: [Double]

  /// Fits rows `[rows, width]` of known classes.
  /// - Parameters:
  ///   - labels: from 0 below `classCount`.
  ///   - strength: C: the larger, the less the penalty counts.
  ///   - tolerance: of the largest component of the gradient of the mean loss.
  public init(
    _ rows: Tensor, _ labels: [Int], classCount: Int, strength: Double = 1, tolerance: Double = 1e-7
  ) {
    precondition(rows.shape[0] == labels.count, "\(labels.count) labels for rows \(rows.shape)")
    let (count, width) = (rows.shape[0], rows.shape[1])
    let scores = classCount == 2 ? 1 : classCount
    let penalty = 1 / (strength * Double(max(1, count)))
    let values = rows.values.map { Double($0) }
    let stride = width + 1
    let found = minimize(
      from: [Double](repeating: 0, count: scores * stride), tolerance: tolerance
    ) { point, gradient in
      for place in gradient.indices { gradient[place] = 0 }
      var loss = 0.0
      var (logits, slopes) = ([Double](repeating: 0, count: scores), [Double](repeating: 0, count: scores))
      for row in 0..<count {
        let start = row * width
        for score in 0..<scores {
          var sum = point[score * stride + width]
          for column in 0..<width { sum += point[score * stride + column] * values[start + column] }
          logits[score] = sum
        }
        loss += Self.loss(logits, label: labels[row], slopes: &slopes)
        for score in 0..<scores where slopes[score] != 0 {
          for column in 0..<width { gradient[score * stride + column] += slopes[score] * values[start + column] }
          gradient[score * stride + width] += slopes[score]
        }
      }
      let share = 1 / Double(max(1, count))
      loss *= share
      for place in gradient.indices { gradient[place] *= share }
      for score in 0..<scores {
        for column in 0..<width {
          let weight = point[score * stride + column]
          loss += penalty * weight * weight / 2
          gradient[score * stride + column] += penalty * weight
        }
      }
      return loss
    }
    self.classCount = classCount
    weights = (0..<scores).map { Array(found.point[$0 * stride..<$0 * stride + width]) }
    intercepts = (0..<scores).map { found.point[$0 * stride + width] }
  }

  /// −ln p of the label, and its derivatives by the scores.
  private static func loss(_ logits: [Double], label: Int, slopes: inout [Double]) -> Double {
    if logits.count == 1 {
      let signed = label == 1 ? logits[0] : -logits[0]
      // ln(1 + e^−s) without overflow.
      let loss = signed > 0 ? log1p(exp(-signed)) : -signed + log1p(exp(signed))
      let probability = 1 / (1 + exp(-logits[0]))
      slopes[0] = probability - (label == 1 ? 1 : 0)
      return loss
    }
    let most = logits.max() ?? 0
    let sum = logits.reduce(0) { $0 + exp($1 - most) }
    for place in logits.indices {
      slopes[place] = exp(logits[place] - most) / sum - (place == label ? 1 : 0)
    }
    return most + log(sum) - logits[label]
  }

  /// The scores of rows: 0 and the logit for two classes.
  public func scores(_ rows: Tensor) -> [[Double]] {
    let (count, width) = (rows.shape[0], rows.shape[1])
    return rows.withValues { values in
      (0..<count).map { row in
        let logits = weights.indices.map { score in
          (0..<width).reduce(intercepts[score]) { $0 + weights[score][$1] * Double(values[row * width + $1]) }
        }
        return classCount == 2 ? [0, logits[0]] : logits
      }
    }
  }

  /// The direction in which a class's score rises `[width]`; for two classes that of the second.
  public func direction(ofClass index: Int) -> [Double] {
    classCount == 2 ? weights[0].map { index == 1 ? $0 : -$0 } : weights[index]
  }
}
