// How good a black box is for parts of the rows, told apart by one column.

import Tables
import Tensors

/// Held-out rows that share a category, or a quarter of a column's values, and how the black box does on them.
public struct GroupQuality: Sendable, Equatable {
  /// The group, as a condition reads.
  public let name: String
  /// The number of held-out rows in it.
  public let rows: Int
  /// Accuracy for classes, mean absolute error for a quantity.
  public let quality: NamedEstimate
  /// The mean prediction of the followed output.
  public let predicted: Double
  /// The share of its class among the rows, or their mean.
  public let observed: Double
}

extension Explainer {
  /// The quality of the black box by groups of a feature, over held-out rows: categories, the most frequent twelve, or
  /// quarters of a number's values; missing cells are a group. Empty for a table without a target.
  /// - Parameter output: the class, or 0 for a quantity.
  public func groupQuality(by feature: Int, output: Int) -> [GroupQuality] {
    guard !table.targetIsPredicted else { return [] }
    let cells = heldRows.column(feature)
    let (outputs, width) = (heldOutputs.values, heldOutputs.shape[1])
    return groups(of: feature, cells).compactMap { name, rows in
      guard !rows.isEmpty else { return nil }
      let predicted = rows.map { Double(outputs[$0 * width + output]) }
      let mean = predicted.reduce(0, +) / Double(rows.count)
      switch table.target {
      case .classes(let labels, _):
        let truth = rows.map { labels[split.held[$0]] }
        let named = rows.map { heldOutcomes[$0] }
        let hits = zip(truth, named).count { $0 == $1 }
        return GroupQuality(
          name: name, rows: rows.count,
          quality: NamedEstimate(
            name: "accuracy",
            estimate: Estimate(
              value: Double(hits) / Double(rows.count),
              interval: clopperPearson(successes: hits, trials: rows.count))),
          predicted: mean, observed: Double(truth.count { $0 == output }) / Double(rows.count))
      case .values(let values):
        let truth = rows.map { values[split.held[$0]] }
        let draws = BootstrapDraws(rows: rows.count, count: 100, seed: options.seed)
        let estimates = RegressionMeasures.estimates(
          truth: truth, predicted: predicted.map { Float($0) }, draws: draws)
        return GroupQuality(
          name: name, rows: rows.count,
          quality: NamedEstimate(name: RegressionMeasures.names[1], estimate: estimates[1]),
          predicted: mean, observed: truth.reduce(0.0) { $0 + Double($1) } / Double(rows.count))
      }
    }
  }

  /// Places among the held-out rows, by group.
  private func groups(of feature: Int, _ cells: [Float]) -> [(name: String, rows: [Int])] {
    let missing = cells.indices.filter { cells[$0].isNaN }
    let rest = cells.indices.filter { !cells[$0].isNaN }
    var groups: [(name: String, rows: [Int])]
    if table.features.kinds[feature] == .numeric, Set(rest.map { cells[$0] }).count > 6 {
      let sorted = trainingRows.column(feature).filter { !$0.isNaN }.sorted()
      guard !sorted.isEmpty else { return [] }
      let cuts = Set((1...3).map { sorted[(sorted.count - 1) * $0 / 4] }).sorted()
      groups = (0...cuts.count).map { place in
        let low = place == 0 ? -Float.infinity : cuts[place - 1]
        let high = place == cuts.count ? Float.infinity : cuts[place]
        let condition = Condition(
          feature: feature, demand: .range(above: low, atMost: high), acceptsMissing: false)
        return (catalogue.text(condition), rest.filter { cells[$0] > low && cells[$0] <= high })
      }
    } else {
      let byCell = Dictionary(grouping: rest) { cells[$0] }
      groups = byCell.sorted { ($1.value.count, $0.key) < ($0.value.count, $1.key) }.prefix(12)
        .map { (catalogue.shortText($0.key, of: feature), $0.value) }
    }
    if !missing.isEmpty { groups.append(("missing", missing)) }
    return groups
  }
}
