// χ²: quantiles and tails, for whole and broken degrees of freedom.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The value that a sum of `freedom` squared standard normal numbers stays below with a probability.
public func chiSquaredQuantile(_ probability: Double, freedom: Double) -> Double {
  precondition(probability > 0 && probability < 1 && freedom > 0)
  let shape = freedom / 2
  // From the side whose probability is small, which has all its digits.
  func isBelow(_ value: Double) -> Bool {
    let tails = gammaTails(shape, value / 2)
    return probability < 0.5 ? tails.lower < probability : tails.upper > 1 - probability
  }
  var (low, high) = (0.0, max(1, freedom))
  while isBelow(high), high < 1e300 { high *= 2 }
  for _ in 0..<2000 {
    let middle = (low + high) / 2
    if isBelow(middle) { low = middle } else { high = middle }
    if high - low <= 1e-14 * high { break }
  }
  return (low + high) / 2
}

/// The probability that χ² is larger than a value.
public func chiSquaredTail(_ value: Double, freedom: Double) -> Double {
  gammaTails(freedom / 2, max(0, value) / 2).upper
}

/// The lower and upper incomplete gamma functions over Γ(a): by the series below a + 1, by Lentz's continued fraction
/// above (DLMF 8.11.4 and 8.9.2), each from the side where it converges fast.
func gammaTails(_ a: Double, _ x: Double) -> (lower: Double, upper: Double) {
  guard x > 0 else { return (0, 1) }
  guard x.isFinite else { return (1, 0) }
  let front = exp(a * log(x) - x - lgamma(a))
  if x < a + 1 {
    var (term, sum, next) = (1 / a, 1 / a, a)
    for _ in 0..<100_000 {
      next += 1
      term *= x / next
      sum += term
      if abs(term) < abs(sum) * 1e-17 { break }
    }
    let lower = min(1, front * sum)
    return (lower, 1 - lower)
  }
  let tiny = 1e-300
  func away(_ value: Double) -> Double { abs(value) < tiny ? tiny : value }
  var b = x + 1 - a
  var c = 1 / tiny
  var d = 1 / away(b)
  var fraction = d
  for step in 1..<100_000 {
    let term = -Double(step) * (Double(step) - a)
    b += 2
    d = 1 / away(term * d + b)
    c = away(b + term / c)
    fraction *= d * c
    if abs(d * c - 1) < 1e-16 { break }
  }
  let upper = min(1, front * fraction)
  return (1 - upper, upper)
}
