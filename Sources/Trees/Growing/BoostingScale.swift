// What boosting does with a table of a given size.

/// How a tree of a boosted model is grown.
struct BoostedTreeShape: Sendable {
  /// The most splits between a root and a leaf.
  var maximumDepth: Int
  /// What leaves are multiplied by.
  var learningRate: Double
  /// λ: what is added to a leaf's hessian.
  var regularisation: Double
  /// The least sum of hessians in a leaf.
  var minimumLeafWeight: Double

  /// What a leaf says.
  func leafValue(gradient: Double, hessian: Double) -> Double {
    -learningRate * gradient / (hessian + regularisation)
  }
}

/// The settings that hang on the size of a table.
struct BoostingScale {
  let shape: BoostedTreeShape
  let maximumBins: Int
  /// How many rows a round is fitted to; nil for all.
  let rowsDrawn: Int?
  /// How many features a tree may ask about.
  let featuresDrawn: Int
  /// How many it would be in the trial that decides between these and all; nil where there is nothing to decide.
  let featuresTried: Int?

  /// - Parameter predictsQuantities: whether trees of fewer than 50,000 rows are grown for quantities.
  init(_ options: BoostingOptions, rows: Int, features: Int, predictsQuantities: Bool) {
    precondition(options.minimumLeafWeight ?? 1 > 0, "leaves without weight say nothing")
    precondition(options.learningRate ?? 1 > 0, "trees that are multiplied by nothing say nothing")
    precondition((1...12).contains(options.maximumDepth ?? 1), "trees of 1 to 12 splits a path")
    let isSmall = rows < 2000
    // Quantities have no class that bounds what a leaf of one row says.
    let areQuantities = predictsQuantities && rows < 50_000
    shape = BoostedTreeShape(
      maximumDepth: options.maximumDepth ?? (isSmall ? 4 : 6),
      learningRate: options.learningRate ?? (rows < 50_000 ? 0.1 : 0.3),
      regularisation: options.regularisation,
      minimumLeafWeight: options.minimumLeafWeight ?? (areQuantities ? 3 : isSmall ? 0.1 : 1))
    maximumBins = options.maximumBins ?? (!isSmall ? 255 : areQuantities ? 128 : 32)
    func part(_ share: Double, of count: Int, least: Int) -> Int {
      min(count, max(least, Int((share * Double(count)).rounded())))
    }
    let drawn = part(options.rowShare ?? (isSmall ? 0.8 : 1), of: rows, least: 1)
    rowsDrawn = drawn < rows ? drawn : nil
    featuresDrawn =
      options.featureShare == nil && areQuantities
      ? part(0.7, of: features, least: 4) : part(options.featureShare ?? 1, of: features, least: 1)
    let tried = part(0.3, of: features, least: 8)
    featuresTried =
      isSmall && !areQuantities && options.featureShare == nil && rowsDrawn != nil && tried < features
      ? tried : nil
  }
}
