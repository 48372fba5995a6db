// A range that holds a quantity with a stated probability.

/// The two ends of an interval.
public struct Interval: Sendable, Equatable, Codable {
  /// The lower end.
  public var low: Double
  /// The upper end.
  public var high: Double

  /// An interval from `low` to `high`.
  public init(low: Double, high: Double) {
    self.low = low
    self.high = high
  }
}

/// A quantity with its interval.
public struct Estimate: Sendable, Equatable, Codable {
  /// The quantity, computed once on all rows.
  public var value: Double
  /// Its 95 % interval.
  public var interval: Interval

  /// A quantity with its interval.
  public init(value: Double, interval: Interval) {
    self.value = value
    self.interval = interval
  }
}
