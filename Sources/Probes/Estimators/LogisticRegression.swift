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
  /// `[score, feature]`: one score for two classes, else one a class.
  public let weights: DoubleMatrix
  /// One a score.
  public let intercepts: [Double]

  /// Fits rows of known classes.
  /// - Parameters:
  ///   - labels: from 0 below `classCount`.
  ///   - strength: C: the larger, the less the penalty counts.
  ///   - tolerance: of the largest component of the gradient of the mean loss.
  ///   - iterations: steps of the search, at most.
  ///   - start: where the search begins, such as the fit for another C; at zero unless given.
  public init(
    _ rows: DoubleMatrix, _ labels: [Int], classCount: Int, strength: Double = 1, tolerance: Double = 1e-7,
    iterations: Int = 1000, startingAt start: LogisticRegression? = nil
  ) {
    precondition(rows.rows == labels.count, "\(labels.count) labels for \(rows.rows) rows")
    precondition(classCount >= 2 && labels.allSatisfy { (0..<classCount).contains($0) })
    let (count, width) = (rows.rows, rows.columns)
    let scores = classCount == 2 ? 1 : classCount
    let penalty = 1 / (strength * Double(max(1, count)))
    let share = 1 / Double(max(1, count))
    // Weights first, then intercepts.
    let weightCount = scores * width
    var first = [Double](repeating: 0, count: weightCount + scores)
    if let start, start.weights.rows == scores, start.weights.columns == width {
      first = start.weights.values + start.intercepts
    }
    let found = minimize(from: first, tolerance: tolerance, iterations: iterations) { point, gradient in
      let weights = DoubleMatrix(Array(point[..<weightCount]), rows: scores, columns: width)
      var slopes = doubleProduct(rows, weights, transposingB: true)
      var loss = 0.0
      for score in 0..<scores { gradient[weightCount + score] = 0 }
      for row in 0..<count {
        let start = row * scores
        for score in 0..<scores { slopes.values[start + score] += point[weightCount + score] }
        loss += Self.loss(&slopes.values, from: start, scores, label: labels[row])
        for score in 0..<scores {
          slopes.values[start + score] *= share
          gradient[weightCount + score] += slopes.values[start + score]
        }
      }
      let products = doubleProduct(slopes, transposingA: true, rows)
      var squares = 0.0
      for place in 0..<weightCount {
        squares += point[place] * point[place]
        gradient[place] = products.values[place] + penalty * point[place]
      }
      return loss * share + penalty * squares / 2
    }
    self.classCount = classCount
    weights = DoubleMatrix(Array(found.point[..<weightCount]), rows: scores, columns: width)
    intercepts = Array(found.point[weightCount...])
  }

  /// A fit of known parts.
  init(classCount: Int, weights: DoubleMatrix, intercepts: [Double]) {
    self.classCount = classCount
    self.weights = weights
    self.intercepts = intercepts
  }

  /// −ln p of the label; the scores become their derivatives.
  private static func loss(_ values: inout [Double], from start: Int, _ scores: Int, label: Int) -> Double {
    if scores == 1 {
      let score = values[start]
      let signed = label == 1 ? score : -score
      values[start] = 1 / (1 + exp(-score)) - (label == 1 ? 1 : 0)
      // ln(1 + e^−s) without overflow.
      return signed > 0 ? log1p(exp(-signed)) : -signed + log1p(exp(signed))
    }
    var most = -Double.infinity
    for place in start..<start + scores { most = max(most, values[place]) }
    let own = values[start + label]
    var sum = 0.0
    for place in start..<start + scores {
      values[place] = exp(values[place] - most)
      sum += values[place]
    }
    for place in start..<start + scores { values[place] /= sum }
    values[start + label] -= 1
    return most + log(sum) - own
  }

  /// The scores of rows: 0 and the logit for two classes.
  public func scores(_ rows: DoubleMatrix) -> DoubleMatrix {
    let logits = doubleProduct(rows, weights, transposingB: true)
    var result = DoubleMatrix(rows: rows.rows, columns: classCount)
    for row in 0..<rows.rows {
      if classCount == 2 {
        result.values[2 * row + 1] = logits.values[row] + intercepts[0]
      } else {
        for score in 0..<classCount {
          result.values[row * classCount + score] =
            logits.values[row * classCount + score] + intercepts[score]
        }
      }
    }
    return result
  }

  /// The direction in which a class's score rises.
  public func direction(ofClass index: Int) -> [Double] {
    classCount == 2 ? weights.values.map { index == 1 ? $0 : -$0 } : Array(weights.row(index))
  }
}
