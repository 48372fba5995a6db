// Quantiles of χ².

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The value that a sum of `freedom` squared standard normal numbers stays below with a probability.
public func chiSquaredQuantile(_ probability: Double, freedom: Int) -> Double {
  precondition(probability > 0 && probability < 1 && freedom > 0)
  let shape = Double(freedom) / 2
  var (low, high) = (0.0, max(1, Double(freedom)))
  while regularizedGamma(shape, high / 2) < probability { high *= 2 }
  for _ in 0..<200 {
    let middle = (low + high) / 2
    if regularizedGamma(shape, middle / 2) < probability { low = middle } else { high = middle }
    if high - low <= 1e-13 * high { break }
  }
  return (low + high) / 2
}

/// The probability that χ² is larger than a value.
public func chiSquaredTail(_ value: Double, freedom: Int) -> Double {
  1 - regularizedGamma(Double(freedom) / 2, max(0, value) / 2)
}

/// P(a, x), the lower incomplete gamma function over Γ(a): by its series below a + 1, by Lentz's continued fraction above
/// (Press et al., “Numerical Recipes”, section 6.2).
func regularizedGamma(_ a: Double, _ x: Double) -> Double {
  guard x > 0 else { return 0 }
  let front = exp(a * log(x) - x - lgamma(a))
  if x < a + 1 {
    var (term, sum, next) = (1 / a, 1 / a, a)
    for _ in 0..<10_000 {
      next += 1
      term *= x / next
      sum += term
      if abs(term) < abs(sum) * 1e-16 { break }
    }
    return front * sum
  }
  let tiny = 1e-300
  var b = x + 1 - a
  var c = 1 / tiny
  var d = 1 / b
  var fraction = d
  for index in 1..<10_000 {
    let step = -Double(index) * (Double(index) - a)
    b += 2
    d = step * d + b
    if abs(d) < tiny { d = tiny }
    c = b + step / c
    if abs(c) < tiny { c = tiny }
    d = 1 / d
    let factor = d * c
    fraction *= factor
    if abs(factor - 1) < 1e-16 { break }
  }
  return 1 - front * fraction
}
