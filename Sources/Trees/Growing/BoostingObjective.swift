// What boosting lowers.

import Tables

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Losses and their derivatives with respect to the scores.
struct BoostingObjective {
  let target: Target
  let scoreCount: Int
  let link: TreeEnsemble.Link
  let baseScores: [Double]

  init(_ target: Target) {
    self.target = target
    switch target {
    case .values(let values):
      scoreCount = 1
      link = .identity
      baseScores = [values.reduce(0) { $0 + Double($1) } / Double(max(1, values.count))]
    case .classes(let labels, let names) where names.count == 2:
      scoreCount = 1
      link = .logistic(slope: 1)
      let share = Double(labels.count { $0 == 1 }) / Double(max(1, labels.count))
      baseScores = [share > 0 && share < 1 ? log(share / (1 - share)) : 0]
    case .classes(_, let names):
      scoreCount = names.count
      link = .softmax
      baseScores = [Double](repeating: 0, count: names.count)
    }
  }

  /// The loss of some rows, summed: half the squared error, or minus the log of the true class's probability.
  func loss(_ scores: [Double], rows: some Sequence<Int>) -> Double {
    switch target {
    case .values(let values):
      rows.reduce(0) { sum, row in
        let error = scores[row] - Double(values[row])
        return sum + error * error / 2
      }
    case .classes(let labels, _) where scoreCount == 1:
      rows.reduce(0) { $0 + log1p(exp(labels[$1] == 1 ? -scores[$1] : scores[$1])) }
    case .classes(let labels, _):
      rows.reduce(0) { sum, row in
        let own = scores[row * scoreCount..<(row + 1) * scoreCount]
        let largest = own.max() ?? 0
        let others = own.reduce(0) { $0 + exp($1 - largest) }
        return sum + log(others) + largest - own[own.startIndex + labels[row]]
      }
    }
  }

  /// Pairs (gradient, hessian) of every row, for each score.
  func gradients(_ scores: [Double]) -> [[Float]] {
    let rows = target.count
    var result = [[Float]](repeating: [Float](repeating: 0, count: rows * 2), count: scoreCount)
    switch target {
    case .values(let values):
      for row in 0..<rows {
        result[0][2 * row] = Float(scores[row] - Double(values[row]))
        result[0][2 * row + 1] = 1
      }
    case .classes(let labels, _) where scoreCount == 1:
      for row in 0..<rows {
        let p = 1 / (1 + exp(-scores[row]))
        result[0][2 * row] = Float(p - (labels[row] == 1 ? 1 : 0))
        result[0][2 * row + 1] = Float(max(p * (1 - p), 1e-16))
      }
    case .classes(let labels, _):
      var powers = [Double](repeating: 0, count: scoreCount)
      for row in 0..<rows {
        var largest = -Double.infinity
        for score in 0..<scoreCount { largest = max(largest, scores[row * scoreCount + score]) }
        var sum = 0.0
        for score in 0..<scoreCount {
          powers[score] = exp(scores[row * scoreCount + score] - largest)
          sum += powers[score]
        }
        for score in 0..<scoreCount {
          let p = powers[score] / sum
          result[score][2 * row] = Float(p - (labels[row] == score ? 1 : 0))
          // Twice the diagonal bounds the full hessian from above, which keeps steps safe.
          result[score][2 * row + 1] = Float(max(2 * p * (1 - p), 1e-16))
        }
      }
    }
    return result
  }
}
