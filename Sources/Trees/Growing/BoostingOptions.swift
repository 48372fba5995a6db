// How boosted trees are grown.

/// How boosted trees are grown.
///
/// What is not given is chosen by the number of rows: from 50,000 on as in XGBoost; below, at a lower learning rate; and
/// below 2,000 shallower trees that each see a part of the rows, and may see a part of the features, with smaller leaves
/// allowed. Trees for quantities have larger leaves and see a part of the features below 50,000 rows.
public struct BoostingOptions: Sendable, Equatable, Codable {
  /// Rounds; each adds one tree a score.
  public var rounds = 100
  /// The most splits between a root and a leaf, at most 12; nil for 4 below 2,000 rows and 6 from there.
  public var maximumDepth: Int?
  /// What a tree's leaves are multiplied by, above 0; nil for 0.1 below 50,000 rows and 0.3 from there.
  public var learningRate: Double?
  /// λ: what is added to a leaf's hessian.
  public var regularisation = 1.0
  /// The least sum of hessians in a leaf, above 0; nil for 0.1 below 2,000 rows and 1 from there; for quantities, whose
  /// rows weigh 1 each, 3 below 50,000.
  public var minimumLeafWeight: Double?
  /// The most bins of a feature, 2 to 255; nil for 32 (for quantities 128) below 2,000 rows and 255 from there.
  public var maximumBins: Int?
  /// The share of rows that the trees of a round are fitted to, drawn anew for every round (Friedman 2002); nil for 0.8
  /// below 2,000 rows and 1 from there.
  public var rowShare: Double?
  /// The share of features that a tree may ask about, drawn anew for every tree.
  ///
  /// Nil for 0.7 with quantities below 50,000 rows. Else nil for 1 from 2,000 rows on, and below for 1 or 0.3 (but no fewer than eight features), whichever twelve trial
  /// rounds speak for: trees that ask about different features do better where many tell the same, and worse where few
  /// stand alone among noise. With a `rowShare` of 1 no rows are left out to judge the trial by, and nil is 1.
  public var featureShare: Double?
  /// The fewest rows of a category that a split may name, see `RareCategories`; nil for four, fewer below eighty rows.
  public var minimumCategoryRows: Int?
  /// The seed of the rows and features drawn.
  public var seed: UInt64 = 0

  /// 100 rounds at XGBoost's regularisation.
  public init() {}
}
