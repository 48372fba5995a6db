// How good a run's counterfactuals are, taken together.

import Tables
import Tensors

/// Means over the counterfactuals of several rows.
public struct CounterfactualMeasures: Sendable, Equatable {
  /// The rows that counterfactuals were asked for.
  public var rows: Int
  /// The rows that got at least one.
  public var rowsAnswered: Int
  /// The number of counterfactuals.
  public var count: Int
  /// The share of counterfactuals of which the black box says the wanted outcome.
  public var validity: Double
  /// The mean number of changed cells.
  public var meanChanges: Double
  /// The mean distance in median absolute deviations.
  public var meanDistance: Double
  /// The mean distance to the nearest training row, in the same unit.
  public var meanDistanceToNearestRow: Double

  private static let rowsACall = 4096
  private static let cellsACall = 1 << 22

  /// Measures of the counterfactuals of the given rows, asked of the black box again.
  /// - Throws: what the black box throws.
  public init(_ explanations: [RowExplanation], _ explainer: Explainer) throws {
    let all = explanations.flatMap(\.counterfactuals)
    rows = explanations.count
    rowsAnswered = explanations.count { !$0.counterfactuals.isEmpty }
    count = all.count
    func mean(_ value: (Counterfactual) -> Double) -> Double {
      all.isEmpty ? .nan : all.reduce(0) { $0 + value($1) } / Double(all.count)
    }
    var valid = 0
    // Many rows a call: trees stay in cache, and a program is started seldom.
    let rowsACall = max(1, min(Self.rowsACall, Self.cellsACall / max(1, explainer.table.features.count)))
    let asked = explanations.flatMap { explanation in
      explanation.counterfactuals.map { (explanation, $0.changes) }
    }
    for start in stride(from: 0, to: asked.count, by: rowsACall) {
      let part = asked[start..<min(start + rowsACall, asked.count)]
      let changed = variants(
        part.map { (explainer.table.features.row($0.0.row), $0.1) }, in: explainer.table.features)
      let outputs = try explainer.probed.blackBox.predict(changed)
      valid += zip(part, 0...).count { asked, row in
        asked.0.wanted.isMet(by: outputs.row(row).values.map { Double($0) }, explainer.outcomes)
      }
    }
    validity = all.isEmpty ? .nan : Double(valid) / Double(all.count)
    meanChanges = mean { Double($0.changes.count) }
    meanDistance = mean(\.distance)
    meanDistanceToNearestRow = mean(\.distanceToNearestRow)
  }
}
