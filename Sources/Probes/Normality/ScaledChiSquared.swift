// How scores of normal rows are spread, learned from rows that were held out.

/// A multiple of χ² with broken degrees of freedom (Box 1954): what a sum of dependent squares is like.
///
/// Distances of rows that a distribution was not fitted to are larger than χ² has it where rows are few beside columns, and
/// sums over places that hang together are spread wider. Both ask for another scale and other degrees of freedom, not for
/// another shape.
public struct ScaledChiSquared: Sendable, Equatable, Codable {
  /// What χ² is multiplied by.
  public var scale: Double
  /// Degrees of freedom.
  public var freedom: Double

  /// A known distribution.
  public init(scale: Double, freedom: Double) {
    self.scale = scale
    self.freedom = freedom
  }

  /// The one whose median and upper tenth are those of some scores: neither follows a few odd ones.
  /// - Parameter isBound: whether the upper tenth is its own 95 % upper bound, so that tails are rather too long than too
  ///   short: what is very improbable by few scores alone is said with care.
  /// - Precondition: there are two scores at least.
  public init(matching scores: [Double], isBound: Bool = false) {
    let sorted = scores.sorted()
    func quantile(_ share: Double) -> Double {
      let place = share * Double(sorted.count - 1)
      let low = Int(place)
      let high = min(sorted.count - 1, low + 1)
      return sorted[low] + (place - Double(low)) * (sorted[high] - sorted[low])
    }
    // Order statistics of the upper tenth are spread as a binomial count is.
    let slack = isBound ? 1.645 * (0.09 / Double(scores.count)).squareRoot() : 0
    let (middle, upper) = (
      max(quantile(0.5), .leastNormalMagnitude), max(quantile(min(1, 0.9 + slack)), .leastNormalMagnitude)
    )
    // The ratio of the two falls as degrees of freedom rise.
    func ratio(_ freedom: Double) -> Double {
      chiSquaredQuantile(0.9, freedom: freedom) / chiSquaredQuantile(0.5, freedom: freedom)
    }
    var (low, high) = (0.5, 1e5)
    for _ in 0..<60 {
      let freedom = (low * high).squareRoot()
      if ratio(freedom) > upper / middle { low = freedom } else { high = freedom }
    }
    freedom = (low * high).squareRoot()
    scale = middle / chiSquaredQuantile(0.5, freedom: freedom)
  }

  /// The probability of a normal row having a larger score.
  public func tail(_ score: Double) -> Double { chiSquaredTail(score / scale, freedom: freedom) }

  /// The score that normal rows pass with a probability.
  public func threshold(rate: Double) -> Double { scale * chiSquaredQuantile(1 - rate, freedom: freedom) }
}
