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
    trees.reduce(0.0) { sum, tree in
      let paths = LeafPath.all(of: tree)
      return sum
        + paths.reduce(0.0) { $0 + Double($1.parts.count * $1.parts.count * max(1, $1.parts.count / 2)) }
    }
  }

  /// Interaction values of every row, of one score before the link.
  /// - Throws: `TableError` where a feature of the model is not among `features`.
  public func shapInteractions(
    _ features: Features, score: Int = 0
  ) throws(TableError) -> ShapInteractions {
    let table = try features.aligned(to: featureNames, kinds: featureKinds)
    let used = usedFeatures
    let placeOf = featureNames.indices.map { used.firstIndex(of: $0) ?? -1 }
    let (rows, count) = (table.rowCount, used.count)
    let paths = trees.filter { $0.nodes.count > 1 && ($0.output ?? score) == score }.map { tree in
      (tree: tree, paths: LeafPath.all(of: tree))
    }
    let mostParts = paths.flatMap(\.paths).map(\.parts.count).max() ?? 1
    let rule = GaussLegendre(count: max(1, (mostParts + 1) / 2))
    let shap = try shapValues(features)
    let found = parallelMap(rows) { row in
      var sums = [Double](repeating: 0, count: count * count)
      for (tree, paths) in paths {
        for path in paths {
          let value = scale * tree.leafValues[path.leaf + (tree.output == nil ? score : 0)]
          path.addInteractions(
            of: value, table, row: row, tree, rule, places: placeOf, to: &sums, stride: count)
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

/// The way to one leaf, its questions gathered by feature.
private struct LeafPath {
  /// The questions about one feature.
  struct Part {
    var feature: Int
    /// The product of the cover fractions.
    var fraction: Double
    /// The nodes that ask, and whether the way goes left there.
    var questions: [(node: Int, left: Bool)]
  }

  /// The first of the leaf's numbers.
  var leaf: Int
  var parts: [Part]

  static func all(of tree: Tree) -> [LeafPath] {
    var paths: [LeafPath] = []
    var pending: [(node: Int, parts: [Part])] = [(0, [])]
    while let (index, parts) = pending.popLast() {
      let node = tree.nodes[index]
      if node.isLeaf {
        paths.append(LeafPath(leaf: Int(node.left), parts: parts))
        continue
      }
      let whole = tree.covers[index]
      for (child, left) in [(Int(node.left), true), (Int(node.right), false)] {
        // A side that no training row took has no cover; a vanishing share keeps quotients finite.
        let share = max(whole > 0 ? tree.covers[child] / whole : 0.5, 1e-300)
        var below = parts
        if let place = below.firstIndex(where: { $0.feature == Int(node.feature) }) {
          below[place].fraction = max(below[place].fraction * share, 1e-300)
          below[place].questions.append((index, left))
        } else {
          below.append(Part(feature: Int(node.feature), fraction: share, questions: [(index, left)]))
        }
        pending.append((child, below))
      }
    }
    return paths
  }

  func addInteractions(
    of value: Double, _ table: Features, row: Int, _ tree: Tree, _ rule: GaussLegendre, places: [Int],
    to sums: inout [Double], stride: Int
  ) {
    guard parts.count > 1 else { return }
    let steps = parts.map { part -> Double in
      let cell = table[row, part.feature]
      let follows = part.questions.allSatisfy { tree.goesLeft(cell, at: tree.nodes[$0.node]) == $0.left }
      return (follows ? 1 : 0) - part.fraction
    }
    for (point, weight) in zip(rule.points, rule.weights) {
      var product = value * weight
      let factors = parts.indices.map { parts[$0].fraction + point * steps[$0] }
      for factor in factors { product *= factor }
      let shares = zip(steps, factors).map { $0 / $1 }
      for first in parts.indices {
        let own = places[parts[first].feature] * stride
        for second in parts.indices where second != first {
          sums[own + places[parts[second].feature]] += 0.5 * product * shares[first] * shares[second]
        }
      }
    }
  }
}
