// Boosted linear models: one weight a feature and score.

import Tables
import Tensors
import Trees

/// Scores that are sums of weighted cells, through a link. A missing cell adds nothing.
public struct LinearBlackBox: BlackBox {
  /// The features' names.
  public let featureNames: [String]
  /// The classes' names, or one name for a regression.
  public let outputNames: [String]
  /// `[features, scores]`, row-major.
  let weights: [Double]
  /// What a score starts from.
  let baseScores: [Double]
  let link: TreeEnsemble.Link

  /// Predictions for every row, shape `[rows, outputs]`.
  /// - Throws: `TableError` where a feature is not there or holds text.
  public func predict(_ features: Features) throws -> Tensor {
    let kinds = [FeatureKind](repeating: .numeric, count: featureNames.count)
    let aligned = try features.aligned(to: featureNames, kinds: kinds)
    let (rows, width) = (aligned.rowCount, baseScores.count)
    var scores = [Double](repeating: 0, count: rows * width)
    for feature in 0..<aligned.count {
      for (row, cell) in aligned.column(feature).enumerated() where !cell.isNaN {
        // The library reads float32.
        let value = Double(Float(aligned.exactValue(cell, of: feature)))
        for score in 0..<width { scores[row * width + score] += value * weights[feature * width + score] }
      }
    }
    return Tensor(
      (0..<rows).flatMap { row in
        link.predictions((0..<width).map { baseScores[$0] + scores[row * width + $0] }).map { Float($0) }
      }, shape: [rows, outputNames.count])
  }
}

/// Trees whose leaves hold a linear model of some features (LightGBM's linear trees).
public struct LinearLeafBlackBox: BlackBox {
  /// A leaf's model: `constant + Σ coefficient · cell`, or `otherwise` where one of these cells is missing.
  struct Leaf: Sendable {
    var constant: Double
    var terms: [(feature: Int, coefficient: Double)]
    var otherwise: Double
  }

  /// The trees, for the way to a leaf.
  let ensemble: TreeEnsemble
  /// For every tree the models of its leaves, in the order of its leaf values.
  let leaves: [[Leaf]]

  /// The classes' names, or one name for a regression.
  public var outputNames: [String] { ensemble.outputNames }

  /// Predictions for every row, shape `[rows, outputs]`.
  /// - Throws: `TableError` where a feature is not there or holds text.
  public func predict(_ features: Features) throws -> Tensor {
    let aligned = try features.aligned(to: ensemble.featureNames, kinds: ensemble.featureKinds)
    let (rows, width) = (aligned.rowCount, ensemble.scoreCount)
    var scores = [Double](repeating: 0, count: rows * width)
    let needed = Set(leaves.joined().flatMap { $0.terms.map(\.feature) })
    var values: [Int: [Double]] = [:]
    for feature in needed {
      values[feature] = aligned.column(feature).map { aligned.exactValue($0, of: feature) }
    }
    for (tree, own) in zip(ensemble.trees, leaves) {
      for row in 0..<rows {
        let leaf = own[Int(tree.nodes[tree.leaf { aligned[row, $0] }].left)]
        var sum = leaf.constant
        for term in leaf.terms { sum += term.coefficient * (values[term.feature]?[row] ?? .nan) }
        scores[row * width + (tree.output ?? 0)] += sum.isNaN ? leaf.otherwise : sum
      }
    }
    return Tensor(
      (0..<rows).flatMap { row in
        ensemble.link.predictions(
          (0..<width).map { ensemble.baseScores[$0] + ensemble.scale * scores[row * width + $0] }
        ).map { Float($0) }
      }, shape: [rows, outputNames.count])
  }
}
