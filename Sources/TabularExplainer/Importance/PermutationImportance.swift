// Permutation importance (Breiman 2001): what a model loses when one column is shuffled.

import Tables
import Tensors
import Trees

/// Shuffles of the rows, under which a model's score is measured again.
///
///     let probe = PermutationProbe(rows: held.rowCount, repeats: 10, seed: 1)
///     let importance = try probe.importance(of: model, on: held) { accuracy($0) }
public struct PermutationProbe: Sendable {
  /// The shuffles; every feature is put through all of them.
  public let permutations: [[Int]]

  /// Given shuffles, each a permutation of the rows.
  public init(permutations: [[Int]]) { self.permutations = permutations }

  /// `repeats` random shuffles of `rows` rows.
  public init(rows: Int, repeats: Int = 5, seed: UInt64) {
    var generator = SeededGenerator(seed: seed, stream: "permutations")
    permutations = (0..<repeats).map { _ in generator.permutation(of: rows) }
  }

  /// The fall of `score` when each feature's column is shuffled: the mean over shuffles, with their least and greatest
  /// as interval.
  ///
  /// Features that a tree model does not ask about are known to have none, and shuffling another re-routes the rows
  /// through the trees that ask about it alone.
  /// - Parameters:
  ///   - features: rows that the model has not been fitted to.
  ///   - score: from predictions `[rows, outputs]` to a number of which more is better, such as accuracy.
  /// - Returns: a value for every feature of the table.
  /// - Throws: what the black box throws.
  public func importance(
    of model: any BlackBox, on features: Features, score: (Tensor) -> Double
  ) throws -> FeatureImportance {
    try importance(in: ChangedTables(features, model: model), features, score: score)
  }

  /// What shuffling some of the features lost, `[feature][shuffle]`; nothing for features that a tree model does not ask
  /// about.
  func losses(
    of model: any BlackBox, on features: Features, only wanted: Range<Int>, score: (Tensor) -> Double
  ) throws -> [[Double]] {
    let tables = try ChangedTables(features, model: model)
    let asked = tables.features.filter { wanted.contains($0) }
    var found = [[Double]](repeating: [], count: wanted.count)
    let losses = try losses(of: asked.map { [$0] }, in: tables, features, score: score)
    for (feature, losses) in zip(asked, losses) { found[feature - wanted.lowerBound] = losses.values }
    return found
  }

  /// The same, by given means of asking the model.
  func importance(
    in tables: ChangedTables, _ features: Features, score: (Tensor) -> Double
  ) throws -> FeatureImportance {
    let losses = try losses(of: tables.features.map { [$0] }, in: tables, features, score: score)
    var importance = [Double](repeating: 0, count: features.count)
    var ranges = [ClosedRange<Double>](repeating: 0...0, count: features.count)
    for (feature, losses) in zip(tables.features, losses) {
      (importance[feature], ranges[feature]) = (losses.mean, losses.range)
    }
    return FeatureImportance(
      method: "permutation", names: features.names, values: importance, intervals: ranges)
  }

  /// The fall of `score` when the columns of each group are shuffled together.
  func losses(
    of groups: [[Int]], in tables: ChangedTables, _ features: Features, score: (Tensor) -> Double
  ) throws -> [Losses] {
    for permutation in permutations {
      precondition(
        permutation.count == features.rowCount,
        "a shuffle of \(permutation.count) rows for \(features.rowCount)")
    }
    let baseline = score(tables.predictions)
    var losses = [Losses](repeating: Losses(), count: groups.count)
    let repeats = permutations.count
    try tables.ask(groups.count * repeats) { index in
      groups[index / repeats].map { feature in
        let column = features.column(feature)
        let start = column.startIndex
        return ReplacedColumn(
          feature: feature, cells: permutations[index % repeats].map { column[start + $0] })
      }
    } visit: { index, predictions in
      losses[index / repeats].values.append(baseline - score(predictions))
    }
    return losses
  }

  /// What was lost under each shuffle.
  struct Losses {
    var values: [Double] = []
    /// The mean; 0 without shuffles.
    var mean: Double { values.reduce(0, +) / Double(max(1, values.count)) }
    /// The least and the greatest.
    var range: ClosedRange<Double> {
      guard let least = values.min(), let greatest = values.max() else { return 0...0 }
      return least...greatest
    }
  }
}
