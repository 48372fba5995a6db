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
  /// What rows are to be predicted as.
  private enum Truths {
    /// Quantities.
    case quantities([Float])
    /// 1 for rows of the second of two classes, else 0.
    case pair([Float])
    /// Class indices.
    case classes([Int32])
  }

  private let truths: Truths
  let rowCount: Int
  let scoreCount: Int
  let link: TreeEnsemble.Link
  let baseScores: [Double]

  /// Whether no gradient is above 1 and no hessian above 1/2.
  var gradientsAreBounded: Bool { if case .quantities = truths { false } else { true } }

  init(_ target: Target) {
    switch target {
    case .values(let values): self.init(values, classes: 0)
    case .classes(let labels, let names): self.init(labels.map { Float($0) }, classes: names.count)
    }
  }

  /// - Parameters:
  ///   - cells: quantities, or class indices.
  ///   - classes: how many classes there are; 0 for quantities.
  ///   - unused: rows that nothing is learnt from; none where empty.
  ///   - team: processes that hold further rows.
  init(_ cells: [Float], classes: Int, unused: [Bool] = [], team: some RowTeam = LoneProcess()) {
    func isUsed(_ row: Int) -> Bool { unused.isEmpty || !unused[row] }
    rowCount = cells.count
    switch classes {
    case 0:
      scoreCount = 1
      truths = .quantities(cells)
      link = .identity
      var (sum, count) = (0.0, 0)
      for (row, value) in cells.enumerated() where isUsed(row) {
        sum += Double(value)
        count += 1
      }
      let sums = team.sum([sum, Double(count)])
      baseScores = [sums[0] / max(1, sums[1])]
    case 2:
      scoreCount = 1
      truths = .pair(cells)
      link = .logistic(slope: 1)
      var counts = [0, 0]
      for (row, truth) in cells.enumerated() where isUsed(row) { counts[truth == 1 ? 1 : 0] += 1 }
      counts = team.sum(counts)
      let share = Double(counts[1]) / Double(max(1, counts[0] + counts[1]))
      baseScores = [share > 0 && share < 1 ? log(share / (1 - share)) : 0]
    default:
      scoreCount = classes
      truths = .classes(cells.map { Int32($0.isNaN ? 0 : $0) })
      link = .softmax
      baseScores = [Double](repeating: 0, count: classes)
    }
  }

  /// The loss of some rows, summed: half the squared error, or minus the log of the true class's probability.
  func loss(_ scores: [Double], rows: some Sequence<Int>) -> Double {
    switch truths {
    case .quantities(let values):
      rows.reduce(0) { sum, row in
        let error = scores[row] - Double(values[row])
        return sum + error * error / 2
      }
    case .pair(let truths):
      rows.reduce(0) { $0 + log1p(exp(truths[$1] == 1 ? -scores[$1] : scores[$1])) }
    case .classes(let labels):
      rows.reduce(0) { sum, row in
        let own = scores[row * scoreCount..<(row + 1) * scoreCount]
        let largest = own.max() ?? 0
        let others = own.reduce(0) { $0 + exp($1 - largest) }
        return sum + log(others) + largest - own[own.startIndex + Int(labels[row])]
      }
    }
  }

  /// The variance of gradients per unit of hessian.
  ///
  /// For classes as it is where the probabilities are right: p (1 − p) is the variance, and the hessian of two classes;
  /// that of several is twice as much. For quantities the mean squared error so far.
  func noise(_ scores: [Double], unused: [Bool], team: some RowTeam) -> Double {
    switch truths {
    case .pair: return 1
    case .classes: return 0.5
    case .quantities(let values):
      var (sum, count) = (0.0, 0.0)
      for row in values.indices where unused.isEmpty || !unused[row] {
        let error = scores[row] - Double(values[row])
        sum += error * error
        count += 1
      }
      let sums = team.sum([sum, count])
      return sums[0] / max(1, sums[1])
    }
  }

  /// Pairs (gradient, hessian) of every row, for each score.
  func gradients(_ scores: [Double]) -> [[Float]] {
    var flat = [Float](unsafeUninitializedCapacity: rowCount * 2 * scoreCount) { pairs, initialized in
      initialized = rowCount * 2 * scoreCount
      guard let base = pairs.baseAddress else { return }
      let shared = SendablePointer(base)
      scores.withUnsafeBufferPointer { scores in
        guard let scores = scores.baseAddress else { return }
        let own = SendablePointer(reading: scores)
        parallelRanges(rowCount, minimum: 1024) { range in
          write(range, scores: own.base, to: shared.base + 2 * range.lowerBound, stride: 2 * rowCount)
        }
      }
    }
    guard scoreCount > 1 else {
      var only: [Float] = []
      swap(&only, &flat)
      return [only]
    }
    return (0..<scoreCount).map { Array(flat[$0 * rowCount * 2..<($0 + 1) * rowCount * 2]) }
  }

  /// Writes pairs (gradient, hessian) of some rows, the first row's first; those of a score `stride` numbers behind those
  /// of the one before.
  func write(
    _ range: Range<Int>, scores: UnsafePointer<Double>, to pairs: UnsafeMutablePointer<Float>, stride: Int
  ) {
    switch truths {
    case .quantities(let values):
      for (place, row) in range.enumerated() {
        pairs[2 * place] = Float(scores[row] - Double(values[row]))
        pairs[2 * place + 1] = 1
      }
    case .pair(let truths):
      truths.withUnsafeBufferPointer { truths in
        guard let base = truths.baseAddress else { return }
        ck_logistic_gradients(
          scores + range.lowerBound, base + range.lowerBound, range.count, pairs)
      }
    case .classes(let labels):
      let count = scoreCount
      withUnsafeTemporaryAllocation(of: Double.self, capacity: count) { powers in
        for (place, row) in range.enumerated() {
          let own = scores + row * count
          var largest = -Double.infinity
          for score in 0..<count { largest = max(largest, own[score]) }
          var sum = 0.0
          for score in 0..<count {
            powers[score] = exp(own[score] - largest)
            sum += powers[score]
          }
          for score in 0..<count {
            let p = powers[score] / sum
            let pair = pairs + score * stride + 2 * place
            pair[0] = Float(p - (Int(labels[row]) == score ? 1 : 0))
            // Twice the diagonal bounds the full hessian from above, which keeps steps safe.
            pair[1] = Float(max(2 * p * (1 - p), 1e-16))
          }
        }
      }
    }
  }
}
