// Points and weights that integrate polynomials over [0, 1] exactly.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Gauss–Legendre quadrature on [0, 1]: exact for polynomials of degree below `2 · count`.
public struct GaussLegendre: Sendable, Equatable {
  /// Where the integrand is asked for, between 0 and 1.
  public let points: [Double]
  /// What each value counts; they sum to 1.
  public let weights: [Double]

  /// A rule of `count` points, 1 or more: roots of the Legendre polynomial by Newton's method from Tricomi's estimate.
  public init(count: Int) {
    precondition(count > 0, "a rule of \(count) points")
    guard count > 1 else {
      (points, weights) = ([0.5], [1])
      return
    }
    var points = [Double](repeating: 0, count: count)
    var weights = points
    for index in 0..<count {
      var x = cos(.pi * (Double(index) + 0.75) / (Double(count) + 0.5))
      var slope = 1.0
      for _ in 0..<100 {
        var (last, value) = (1.0, x)
        for degree in 2...count {
          (last, value) = (
            value, ((2 * Double(degree) - 1) * x * value - (Double(degree) - 1) * last) / Double(degree)
          )
        }
        slope = Double(count) * (x * value - last) / (x * x - 1)
        let step = value / slope
        x -= step
        if abs(step) < 1e-16 { break }
      }
      points[index] = (1 - x) / 2
      weights[index] = 1 / ((1 - x * x) * slope * slope)
    }
    self.points = points
    self.weights = weights
  }
}
