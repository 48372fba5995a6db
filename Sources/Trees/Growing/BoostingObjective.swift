// What boosting lowers.

import CKernels
import Tables
import Tensors

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
  /// 1 for rows of the second of two classes; empty for other targets.
  private let truths: [Float]

  /// Whether no gradient is above 1 and no hessian above 1/2.
  var gradientsAreBounded: Bool { if case .classes = target { true } else { false } }

  init(_ target: Target) {
    self.target = target
    switch target {
    case .values(let values):
      scoreCount = 1
      truths = []
      link = .identity
      baseScores = [values.reduce(0) { $0 + Double($1) } / Double(max(1, values.count))]
    case .classes(let labels, let names) where names.count == 2:
      scoreCount = 1
      truths = labels.map { $0 == 1 ? 1 : 0 }
      link = .logistic(slope: 1)
      let share = Double(labels.count { $0 == 1 }) / Double(max(1, labels.count))
      baseScores = [share > 0 && share < 1 ? log(share / (1 - share)) : 0]
    case .classes(_, let names):
      scoreCount = names.count
      truths = []
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
    var flat = [Float](unsafeUninitializedCapacity: rows * 2 * scoreCount) { pairs, initialized in
      initialized = rows * 2 * scoreCount
      guard let base = pairs.baseAddress else { return }
      let shared = SendablePointer(base)
      scores.withUnsafeBufferPointer { scores in
        truths.withUnsafeBufferPointer { truths in
          guard let scores = scores.baseAddress else { return }
          let own = SendablePointer(reading: scores)
          // An empty array may have an address too.
          let known = truths.isEmpty ? nil : truths.baseAddress.map { SendablePointer(reading: $0) }
          parallelRanges(rows, minimum: 1024) {
            write($0, scores: own.base, truths: known?.base, shared.base)
          }
        }
      }
    }
    guard scoreCount > 1 else {
      var only: [Float] = []
      swap(&only, &flat)
      return [only]
    }
    return (0..<scoreCount).map { Array(flat[$0 * rows * 2..<($0 + 1) * rows * 2]) }
  }

  /// Pairs of some rows; those of score `s` begin at `2 · rows · s`.
  private func write(
    _ range: Range<Int>, scores: UnsafePointer<Double>, truths: UnsafePointer<Float>?,
    _ pairs: UnsafeMutablePointer<Float>
  ) {
    switch target {
    case .values(let values):
      for row in range {
        pairs[2 * row] = Float(scores[row] - Double(values[row]))
        pairs[2 * row + 1] = 1
      }
    case .classes(let labels, _):
      if let truths {
        ck_logistic_gradients(
          scores + range.lowerBound, truths + range.lowerBound, range.count, pairs + 2 * range.lowerBound)
        return
      }
      let (rows, count) = (target.count, scoreCount)
      withUnsafeTemporaryAllocation(of: Double.self, capacity: count) { powers in
        for row in range {
          var largest = -Double.infinity
          for score in 0..<count { largest = max(largest, scores[row * count + score]) }
          var sum = 0.0
          for score in 0..<count {
            powers[score] = exp(scores[row * count + score] - largest)
            sum += powers[score]
          }
          for score in 0..<count {
            let p = powers[score] / sum
            let place = 2 * (score * rows + row)
            pairs[place] = Float(p - (labels[row] == score ? 1 : 0))
            // Twice the diagonal bounds the full hessian from above, which keeps steps safe.
            pairs[place + 1] = Float(max(2 * p * (1 - p), 1e-16))
          }
        }
      }
    }
  }
}
