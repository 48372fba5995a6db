// What a user may decide about an explanation; everything else is decided by the fidelity curve.

/// Choices behind an `Explainer`.
public struct ExplainerOptions: Sendable, Equatable {
  /// How many features are kept; nil to let the fidelity curve decide.
  public var top: Int?
  /// The surrogate's form; nil for a tree, or a sum of small trees where that is clearly closer to the black box.
  public var surrogate: SurrogateKind?
  /// The surrogate's leaves, rules or trees; nil to let the fidelity curve decide.
  public var size: Int?
  /// The precision an anchor must reach on the training rows.
  public var anchorPrecision = 0.95
  /// What every random choice depends on.
  public var seed: UInt64

  /// Everything decided by curves.
  public init(seed: UInt64 = 0) {
    self.seed = seed
  }
}
