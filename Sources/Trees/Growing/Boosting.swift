// Gradient-boosted trees by histograms (Chen & Guestrin 2016, XGBoost; Ke et al. 2017, LightGBM).
//
// Two ways of growing a tree give the same trees but for rounding. `LevelGrower` is for tables of many features or few
// rows: the feature loop is outside and parallel, the row loop inside, the histogram of one feature, for all nodes of the
// level, stays in the first-level cache, and no array of features × bins × nodes exists. `RangeGrower` is for tall tables:
// rows are kept leaf by leaf, and all features of a row are added at once.

import Tables

extension TreeEnsemble {
  /// Gradient-boosted trees for a target: logistic for two classes, softmax for more, squared error for quantities.
  ///
  /// Missing cells go the way that fits best, split by split; a category set is found by ordering the categories by
  /// their gradients. The same data and seed give the same trees, on any number of threads.
  /// - Throws: `TreeError.oneClass` or `.noRows`.
  public static func boosted(
    _ features: Features, target: Target, targetName: String, options: BoostingOptions = BoostingOptions()
  ) throws(TreeError) -> TreeEnsemble {
    precondition(features.rowCount == target.count)
    guard features.rowCount > 0 else { throw .noRows }
    if case .classes(let labels, let names) = target, Set(labels).count < 2 {
      throw .oneClass(labels.first.map { names[$0] } ?? "")
    }
    let areQuantities = if case .values = target { true } else { false }
    let scale = BoostingScale(
      options, rows: features.rowCount, features: features.count, predictsQuantities: areQuantities)
    let quantised = QuantisedFeatures(
      features, maximumBins: scale.maximumBins, minimumCategoryRows: options.minimumCategoryRows)
    var run = BoostingRun(quantised, BoostingObjective(target), options, scale)
    if let tried = scale.featuresTried, run.gainsByDrawing(tried) { run.featuresDrawn = tried }
    for _ in 0..<options.rounds { run.addRound() }
    let names: [String] =
      switch target {
      case .classes(_, let names): names
      case .values: [targetName]
      }
    return try TreeEnsemble(
      featureNames: features.names, featureKinds: features.kinds, outputNames: names, trees: run.trees,
      baseScores: run.objective.baseScores, link: run.objective.link, scales: features.scales)
  }
}
