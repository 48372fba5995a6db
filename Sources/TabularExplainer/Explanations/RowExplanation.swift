// Everything that is said about one row.

import Tables

/// A rule with its quality on the training rows it was chosen on, and on held-out rows it was not.
public struct VerifiedRule: Sendable, Equatable, Codable {
  /// The conditions.
  public var box: Box
  /// The outcome that the rule is for.
  public var outcome: Int
  /// What the surrogate predicts in the box; empty for an anchor.
  public var prediction: [Double]
  /// The quality on the training rows, by the black box's out-of-bag or cross-fitted outputs.
  public var training: RuleQuality
  /// The quality on held-out rows.
  public var held: RuleQuality
}

/// The explanation of one prediction.
public struct RowExplanation: Sendable, Codable {
  /// The row's index in the table.
  public var row: Int
  /// Whether the row was held out from the black box.
  public var isHeldOut: Bool
  /// The black box's outputs.
  public var prediction: [Double]
  /// For a training row its out-of-bag or cross-fitted outputs.
  public var honestPrediction: [Double]?
  /// The outcome that the black box names.
  public var outcome: Int
  /// The surrogate's outputs.
  public var surrogatePrediction: [Double]
  /// The minimal rule that carries the outcome.
  public var anchor: VerifiedRule
  /// Whether that rule reaches the precision that was asked for on the training rows, on enough of them to be sure.
  public var anchorIsSufficient: Bool
  /// The rule of the surrogate tree that the row falls under.
  public var surrogateRule: VerifiedRule?
  /// What the counterfactuals reach.
  public var wanted: WantedOutcome
  /// Changed rows for which the black box says `wanted`.
  public var counterfactuals: [Counterfactual]
  /// What each feature contributes.
  public var contributions: Contributions?
}
