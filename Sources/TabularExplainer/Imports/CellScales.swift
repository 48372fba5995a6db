// A model's thresholds as those of a table's cells: what the model compares is what decides, in the model's precision.

import Tables
import Trees

/// How the cells of a model's features stand for numbers, feature by feature.
///
/// Cells are float32. A model of another library compares the doubles of its user's file, or their float32, with
/// thresholds of its own; the thresholds here are those that say the same of the cells.
struct CellScales: Sendable {
  /// The doubles behind a feature's cells; nil where the cells tell them.
  private let scales: [ExactScale?]
  /// Whether cells were read from decimals, and so stand for these rather than for themselves.
  private let areDecimals: Bool

  /// Cells that stand for themselves.
  init() {
    scales = []
    areDecimals = false
  }

  /// The cells of a table.
  /// - Parameter places: for every feature of the model its column.
  init(_ features: Features?, places: [Int]) {
    scales = features.map { table in places.map { table.scales[$0] } } ?? []
    areDecimals = features != nil
  }

  private func scale(_ feature: Int) -> ExactScale? {
    scales.indices.contains(feature) ? scales[feature] : nil
  }

  /// The largest cell that goes left where a model asks whether a double is at most `limit`.
  func threshold(_ feature: Int, atMost limit: Double) -> Float {
    if let scale = scale(feature) { return scale.threshold { $0 <= limit } }
    let nearest = Tree.Node.threshold(atMost: limit)
    guard areDecimals, nearest.isFinite else { return nearest }
    if decimalValue(nearest.nextUp) <= limit { return nearest.nextUp }
    return decimalValue(nearest) <= limit ? nearest : nearest.nextDown
  }

  /// The same where a model asks whether a double is below `limit`.
  func threshold(_ feature: Int, below limit: Double) -> Float { threshold(feature, atMost: limit.nextDown) }

  /// The largest cell that goes left where a model asks whether a number's float32 is at most `limit`.
  func threshold(_ feature: Int, singleAtMost limit: Double) -> Float {
    scale(feature).map { $0.threshold { Double(Float($0)) <= limit } } ?? Tree.Node.threshold(atMost: limit)
  }

  /// The same where a model asks whether a number's float32 is below `limit`.
  func threshold(_ feature: Int, singleBelow limit: Double) -> Float {
    if let scale = scale(feature) { return scale.threshold { Double(Float($0)) < limit } }
    let nearest = Tree.Node.threshold(atMost: limit)
    return Double(nearest) == limit ? nearest.nextDown : nearest
  }

  /// Whether 0 is a cell like any other: in a scale that is counted from elsewhere it stands for another number.
  func zeroIsZero(_ feature: Int) -> Bool { scale(feature)?.offset ?? 0 == 0 }
}

extension TreeEnsemble {
  /// Trees that were fitted here, for a table whose cells may stand for numbers otherwise than those fitted to.
  /// - Parameter places: for every feature of the ensemble the table's column.
  func moved(to features: Features, places: [Int]) -> TreeEnsemble {
    guard !scales.isEmpty || places.contains(where: { features.scales[$0] != nil }) else { return self }
    let cells = CellScales(features, places: places)
    return mappingThresholds { feature, threshold in
      guard threshold.isFinite else { return threshold }
      guard let own = scales[feature] else {
        // Fitted to plain cells: the threshold is a number like those.
        return features.scales[places[feature]] == nil
          ? threshold : cells.threshold(feature, atMost: Double(threshold))
      }
      return cells.threshold(feature, atMost: own.value(of: threshold))
    }
  }
}
