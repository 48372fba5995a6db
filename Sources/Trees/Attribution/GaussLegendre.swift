// Points and weights that integrate polynomials over [0, 1] exactly.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Gauss–Legendre quadrature on [0, 1]: exact for polynomials of degree below `2 · count`.
struct GaussLegendre {
  let points: [Double]
  let weights: [Double]

  /// A rule for paths with up to `features` different features, in whole vectors of 8 points.
  ///
  /// With one factor left out the product over a path is a polynomial of degree `features − 1`, for which
  /// `features / 2` points, rounded up, suffice.
  init(exactForPathsOf features: Int) {
    let needed = (features + 1) / 2
    self.init(count: 8 * max(1, (needed + 7) / 8))
  }

  /// Roots of the Legendre polynomial by Newton's method from Tricomi's estimate.
  init(count: Int) {
    var points = [Double](repeating: 0, count: count)
    var weights = points
    for index in 0..<count {
      var x = cos(.pi * (Double(index) + 0.75) / (Double(count) + 0.5))
      var slope = 1.0
      for _ in 0..<100 {
        var (last, value) = (1.0, x)
        for degree in 2...max(2, count) {
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
