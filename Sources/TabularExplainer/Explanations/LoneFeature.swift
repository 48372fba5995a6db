// Features that do nearly all by themselves: often they hold the answer, or something made from it.

import Tables
import Tensors
import Trees

/// A feature that alone reaches nearly the black box's quality.
public struct LoneFeature: Sendable, Equatable {
  /// The feature's index in the table.
  public var feature: Int
  /// What is measured: `accuracy`, `r2`.
  public var measure: String
  /// The measure on the held-out rows, of trees that know the feature alone.
  public var value: Double
}

extension Explainer {
  /// Of what the black box is better than the commonest class or the mean, a feature must reach this share alone.
  private static let nearlyAll = 0.95
  /// How many of the most important features are tried.
  private static let tried = 5

  /// Features that alone reach nearly the black box's quality on the held-out rows, where there are several features and
  /// the quality is worth mentioning. Features that determine the target are said by `Table.leaks()` already.
  /// - Throws: `TreeError`.
  public func loneFeatures(_ quality: [NamedEstimate]) throws -> [LoneFeature] {
    guard table.features.count > 1, !table.targetIsPredicted, !split.held.isEmpty,
      split.training.count <= 50_000
    else { return [] }
    let (measure, usual) = usualClass().map { ("accuracy", $0.share) } ?? ("r2", 0)
    guard let reached = quality.first(where: { $0.name == measure })?.estimate.value, reached - usual >= 0.1
    else {
      return []
    }
    let known = Set(table.leaks().map(\.feature))
    var lone: [LoneFeature] = []
    var options = BoostingOptions()
    options.rounds = 30
    options.maximumDepth = 3
    options.seed = self.options.seed
    for feature in choice.features.prefix(Self.tried) where !known.contains(table.features.names[feature]) {
      let own = table.features.selecting(features: [feature])
      guard own.selecting(rows: split.training).hasVaryingFeature else { continue }
      let trees = try TreeEnsemble.boosted(
        own.selecting(rows: split.training), target: table.target.selecting(rows: split.training),
        targetName: table.targetName, options: options)
      let outputs = try trees.predict(own.selecting(rows: split.held))
      let value: Double
      switch table.target {
      case .classes(let labels, _):
        let says = mostProbableClasses(outputs)
        value =
          Double(split.held.indices.count { says[$0] == labels[split.held[$0]] }) / Double(split.held.count)
      case .values(let values):
        let truth = split.held.map { Double(values[$0]) }
        let mean = truth.reduce(0, +) / Double(truth.count)
        let total = truth.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        let left = zip(truth, outputs.values).reduce(0) { $0 + ($1.0 - Double($1.1)) * ($1.0 - Double($1.1)) }
        value = total > 0 ? 1 - left / total : 0
      }
      if value - usual >= Self.nearlyAll * (reached - usual) {
        lone.append(LoneFeature(feature: feature, measure: measure, value: value))
      }
    }
    return lone
  }
}
