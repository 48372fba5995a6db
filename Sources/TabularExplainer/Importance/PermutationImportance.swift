// Permutation importance (Breiman 2001): what a model loses when one column is shuffled.

import Tables
import Tensors
import Trees

/// Shuffles of the rows and how losses are measured.
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
  /// - Parameters:
  ///   - features: rows that the model has not been fitted to.
  ///   - score: from predictions `[rows, outputs]` to a number of which more is better, such as accuracy.
  /// - Throws: what the black box throws.
  public func importance(
    of model: any BlackBox, on features: Features, score: (Tensor) -> Double
  ) throws -> FeatureImportance {
    let baseline = score(try model.predict(features))
    // Only features that some split asks about can change a tree model's answer; a narrow table is enough for it.
    var probed = Array(features.names.indices)
    var table = features
    if let trees = model as? TreeBlackBox {
      table = try features.aligned(to: trees.ensemble.featureNames, kinds: trees.ensemble.featureKinds)
      let used = Set(trees.ensemble.usedFeatures.map { trees.ensemble.featureNames[$0] })
      probed = table.names.indices.filter { used.contains(table.names[$0]) }
    }
    var importance = [Double](repeating: 0, count: table.count)
    var ranges = [ClosedRange<Double>](repeating: 0...0, count: table.count)
    for feature in probed {
      var losses: [Double] = []
      for permutation in permutations {
        losses.append(baseline - score(try model.predict(table.shuffling(feature, by: permutation))))
      }
      guard let least = losses.min(), let greatest = losses.max() else { continue }
      importance[feature] = losses.reduce(0, +) / Double(losses.count)
      ranges[feature] = least...greatest
    }
    return FeatureImportance(
      method: "permutation", names: table.names, values: importance, intervals: ranges)
  }
}

extension Features {
  /// The same table with one column's cells taken from other rows.
  fileprivate func shuffling(_ feature: Int, by permutation: [Int]) -> Features {
    var cells = values
    let start = feature * rowCount
    for (row, source) in permutation.enumerated() { cells[start + row] = values[start + source] }
    return Features(names: names, kinds: kinds, rowCount: rowCount, values: cells)
  }
}
