// Whether two measured quantities depend on each other at all.

import Tensors

/// The Hilbert–Schmidt independence criterion of two samples with Gaussian kernels of median width, and the share of
/// random pairings that give at least as much (Gretton et al. 2007, biased estimate; permutation test).
///
/// - Parameters:
///   - x: one value an observation.
///   - y: the other value of each observation.
///   - permutations: random pairings that are tried.
/// - Returns: the criterion, and the p-value under independence, (1 + exceeding) / (1 + tried).
public func independenceTest(
  _ x: [Double], _ y: [Double], permutations: Int = 1000, seed: UInt64
) -> (criterion: Double, pValue: Double) {
  precondition(x.count == y.count && x.count > 1, "\(x.count) and \(y.count) observations")
  let (k, l) = (centredKernel(x), kernel(y))
  let count = x.count
  func criterion(_ order: [Int]) -> Double {
    var sum = 0.0
    for i in 0..<count { for j in 0..<count { sum += k[i][j] * l[order[i]][order[j]] } }
    return sum / Double(count * count)
  }
  let found = criterion(Array(0..<count))
  var generator = SeededGenerator(seed: seed, stream: "independence")
  var order = Array(0..<count)
  var exceeding = 0
  for _ in 0..<permutations {
    for place in stride(from: count - 1, to: 0, by: -1) {
      order.swapAt(place, generator.index(below: place + 1))
    }
    if criterion(order) >= found - 1e-15 { exceeding += 1 }
  }
  return (found, Double(1 + exceeding) / Double(1 + permutations))
}

/// exp(−d² / 2w²), w the median distance of different observations.
private func kernel(_ values: [Double]) -> [[Double]] {
  var distances: [Double] = []
  for i in values.indices { for j in 0..<i { distances.append(abs(values[i] - values[j])) } }
  distances.sort()
  let middle = distances.isEmpty ? 0 : distances[distances.count / 2]
  let width = middle > 0 ? middle : 1
  return values.map { a in
    values.map { b in exponential(-(a - b) * (a - b) / (2 * width * width)) }
  }
}

/// The kernel less its row and column means.
private func centredKernel(_ values: [Double]) -> [[Double]] {
  let k = kernel(values)
  let count = Double(values.count)
  let means = k.map { $0.reduce(0, +) / count }
  let whole = means.reduce(0, +) / count
  return k.indices.map { i in k.indices.map { j in k[i][j] - means[i] - means[j] + whole } }
}
