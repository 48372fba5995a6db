// Exact SHAP interaction values of tree ensembles (Lundberg et al. 2020, path-dependent perturbation), by quadrature.
//
// For a leaf of value v on whose path the features k stand, with zₖ the product of cover fractions and oₖ 1 where the row
// follows all questions about k, the Shapley interaction index of i and j is
// v · (oᵢ − zᵢ)(oⱼ − zⱼ) · ∫₀¹ Πₖ≠ᵢ,ⱼ (zₖ + u (oₖ − zₖ)) du: the integrand of SHAP values with one more factor taken out.

import Tables
import Tensors

/// How pairs of features move rows' scores together.
public struct ShapInteractions: Sendable, Equatable {
  /// The features, as places among the model's.
  public let features: [Int]
  /// The number of rows.
  public let rowCount: Int
  /// `[row, feature, feature]`: half the interaction index of a pair in both its places, as is usual; on the diagonal
  /// what is left of the feature's SHAP value, so that rows of the matrix sum to it.
  public let values: [Double]

  /// The value of a pair, or of a feature's own part, on a row.
  public subscript(row: Int, first: Int, second: Int) -> Double {
    values[(row * features.count + first) * features.count + second]
  }

  /// The mean size of a pair's value over rows.
  public func meanSize(_ first: Int, _ second: Int) -> Double {
    (0..<rowCount).reduce(0) { $0 + abs(self[$1, first, second]) } / Double(max(1, rowCount))
  }
}

extension TreeEnsemble {
  /// About how many multiplications interaction values of one row take.
  public var interactionCost: Double {
    trees.reduce(0.0) { $0 + LeafPaths($1, places: []).cost }
  }

  /// Interaction values of every row, of one score before the link.
  /// - Throws: `TableError` where a feature of the model is not among `features`.
  public func shapInteractions(
    _ features: Features, score: Int = 0
  ) throws(TableError) -> ShapInteractions {
    let table = try features.aligned(to: featureNames, kinds: featureKinds)
    let used = usedFeatures
    let placeOf = featureNames.indices.map { used.firstIndex(of: $0) ?? 0 }
    let (rows, count) = (table.rowCount, used.count)
    let trees = trees.filter { $0.nodes.count > 1 && ($0.output ?? score) == score }.map { tree in
      (tree: tree, paths: LeafPaths(tree, places: placeOf))
    }
    let rule = GaussLegendre(exactForPathsOf: trees.map(\.paths.longest).max() ?? 1)
    let shap = try shapValues(features)
    let found = parallelMap(rows) { row in
      var sums = [Double](repeating: 0, count: count * count)
      let cells = table.row(row)
      for (tree, paths) in trees {
        paths.addInteractions(
          of: tree, on: cells, scale: scale, score: tree.output == nil ? score : 0, rule, to: &sums,
          stride: count)
      }
      for first in 0..<count {
        for second in 0..<first {
          let both = sums[first * count + second] + sums[second * count + first]
          sums[first * count + second] = both
          sums[second * count + first] = both
        }
      }
      for first in 0..<count {
        let others = (0..<count).reduce(0.0) { $1 == first ? $0 : $0 + sums[first * count + $1] }
        sums[first * count + first] =
          shap.values[(row * count + first) * shap.scoreCount + score] - others
      }
      return sums
    }
    return ShapInteractions(features: used, rowCount: rows, values: found.flatMap { $0 })
  }
}
