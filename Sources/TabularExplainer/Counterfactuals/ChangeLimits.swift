// What a counterfactual may not do.

/// Limits on the changes that a counterfactual may make.
public struct ChangeLimits: Sendable, Equatable {
  /// Features that stay as they are.
  public var immutable: Set<Int> = []
  /// Features that may only grow.
  public var increaseOnly: Set<Int> = []
  /// Features that may only shrink.
  public var decreaseOnly: Set<Int> = []
  /// The values that a feature may be given.
  public var ranges: [Int: ClosedRange<Float>] = [:]
  /// The most cells that may be changed; nil for any number.
  public var maximumChanges: Int?

  /// No limits.
  public init() {}

  /// Whether a feature's cell may be changed so.
  public func allows(feature: Int, from old: Float, to new: Float) -> Bool {
    if immutable.contains(feature) { return false }
    if let range = ranges[feature], !new.isNaN, !range.contains(new) { return false }
    if increaseOnly.contains(feature), new.isNaN || new < old { return false }
    if decreaseOnly.contains(feature), new.isNaN || new > old { return false }
    return true
  }
}
