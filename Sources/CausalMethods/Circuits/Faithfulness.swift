// How much of a metric circuits keep, by their size.

/// The share of a metric that circuits keep: f = (m(circuit) − m(nothing)) / (m(everything) − m(nothing)).
public struct FaithfulnessCurve: Equatable, Sendable {
  /// Shares of edges, ascending.
  public var shares: [Double]
  /// f at each share.
  public var faithfulness: [Double]

  /// A curve.
  public init(shares: [Double], faithfulness: [Double]) {
    self.shares = shares
    self.faithfulness = faithfulness
  }

  /// The curve of mean metrics.
  /// - Throws: `CausalError.noDifference` where everything and nothing are worth the same.
  public init(
    shares: [Double], metrics: [Double], whole: Double, empty: Double, metric: CausalMetric
  ) throws(CausalError) {
    // Logits are float32: less than this is rounding.
    guard abs(whole - empty) > 1e-5 * max(1, abs(whole)) else {
      throw .noDifference(metric: metric.rawValue, value: whole)
    }
    self.init(shares: shares, faithfulness: metrics.map { ($0 - empty) / (whole - empty) })
  }

  /// CPR: the area under f by trapezoids over the shares, larger is better (Mueller et al. 2025, section 3.2).
  public var cpr: Double { area(faithfulness) }

  /// CMD: the area under |1 − f|, smaller is better.
  public var cmd: Double { area(faithfulness.map { abs(1 - $0) }) }

  private func area(_ values: [Double]) -> Double {
    var sum = 0.0
    for place in 1..<max(1, shares.count) {
      sum += (shares[place] - shares[place - 1]) * (values[place] + values[place - 1]) / 2
    }
    return sum
  }
}
