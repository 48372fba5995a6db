// The regularised incomplete beta function and its inverse, from which binomial bounds are read.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// I_x(a, b), the probability that a Beta(a, b) variable is at most `x`.
///
/// By the continued fraction of DLMF 8.17.22, evaluated from the front (modified Lentz), on the side of the mean
/// where it converges fast.
public func regularizedIncompleteBeta(_ x: Double, _ a: Double, _ b: Double) -> Double {
  precondition(a > 0 && b > 0, "Beta(\(a), \(b)) is not a distribution")
  if x <= 0 { return 0 }
  if x >= 1 { return 1 }
  if x > (a + 1) / (a + b + 2) { return 1 - regularizedIncompleteBeta(1 - x, b, a) }
  let logFactor = lgamma(a + b) - lgamma(a) - lgamma(b) + a * log(x) + b * log1p(-x)
  return exp(logFactor) * betaContinuedFraction(x, a, b) / a
}

private func betaContinuedFraction(_ x: Double, _ a: Double, _ b: Double) -> Double {
  let tiny = 1e-300
  func away(_ value: Double) -> Double { abs(value) < tiny ? tiny : value }
  var c = 1.0
  var d = 1 / away(1 - (a + b) * x / (a + 1))
  var result = d
  for step in 1...10_000 {
    let m = Double(step)
    let even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
    d = 1 / away(1 + even * d)
    c = away(1 + even / c)
    result *= d * c
    let odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
    d = 1 / away(1 + odd * d)
    c = away(1 + odd / c)
    let change = d * c
    result *= change
    if abs(change - 1) < 1e-16 { break }
  }
  return result
}

/// The x with I_x(a, b) = `probability`, by bisection to the last bit.
public func inverseRegularizedIncompleteBeta(_ probability: Double, _ a: Double, _ b: Double) -> Double {
  if probability <= 0 { return 0 }
  if probability >= 1 { return 1 }
  var (low, high) = (0.0, 1.0)
  // A hundred halvings reach the spacing of doubles wherever the root lies above 1e-14.
  for _ in 0..<100 {
    let middle = low + (high - low) / 2
    if middle == low || middle == high { break }
    if regularizedIncompleteBeta(middle, a, b) < probability { low = middle } else { high = middle }
  }
  return low + (high - low) / 2
}
