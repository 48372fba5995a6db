// Gradient-boosted trees by histograms (Chen & Guestrin 2016, XGBoost; Ke et al. 2017, LightGBM).
//
// Every level of a tree is grown at once. The feature loop is outside and parallel, the row loop inside: the histogram
// of one feature, for all nodes of the level, stays in the first-level cache, and its best cuts are taken at once. No
// array of features × bins × nodes exists.

import Tables
import Tensors

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// How boosted trees are grown.
public struct BoostingOptions: Sendable, Equatable, Codable {
  /// Rounds; each adds one tree a score.
  public var rounds = 100
  /// The most splits between a root and a leaf; at most 12.
  public var maximumDepth = 6
  /// What a tree's leaves are multiplied by.
  public var learningRate = 0.3
  /// λ: what is added to a leaf's hessian.
  public var regularisation = 1.0
  /// The least sum of hessians in a leaf.
  public var minimumLeafWeight = 1.0
  /// The most bins of a feature, 2 to 255; nil for 32 below 2,000 rows and 255 from there.
  public var maximumBins: Int?

  /// The defaults of XGBoost.
  public init() {}
}

extension TreeEnsemble {
  /// Gradient-boosted trees for a target: logistic for two classes, softmax for more, squared error for quantities.
  ///
  /// Missing cells go the way that fits best, split by split; a category set is found by ordering the categories by
  /// their gradients. The same data give the same trees, on any number of threads.
  /// - Throws: `TreeError.oneClass` or `.noRows`.
  public static func boosted(
    _ features: Features, target: Target, targetName: String, options: BoostingOptions = BoostingOptions()
  ) throws(TreeError) -> TreeEnsemble {
    precondition(features.rowCount == target.count && (1...12).contains(options.maximumDepth))
    guard features.rowCount > 0 else { throw .noRows }
    let objective = BoostingObjective(target)
    if case .classes(let labels, let names) = target, Set(labels).count < 2 {
      throw .oneClass(labels.first.map { names[$0] } ?? "")
    }
    let rows = features.rowCount
    let quantised = QuantisedFeatures(
      features, maximumBins: options.maximumBins ?? (rows < 2000 ? 32 : 255))
    var scores = [Double](repeating: 0, count: rows * objective.scoreCount)
    let bases = objective.baseScores
    for row in 0..<rows {
      for score in bases.indices { scores[row * bases.count + score] = bases[score] }
    }
    var trees: [Tree] = []
    trees.reserveCapacity(options.rounds * bases.count)
    for _ in 0..<options.rounds {
      var gradients = objective.gradients(scores)
      for score in bases.indices {
        // Given away, not shared: the grower moves them about.
        var own: [Double] = []
        swap(&own, &gradients[score])
        var grower = LevelGrower(quantised, gradients: consume own, options: options)
        let (tree, leafOfRow) = grower.grow(output: score)
        for row in 0..<rows { scores[row * bases.count + score] += tree.leafValues[Int(leafOfRow[row])] }
        trees.append(tree)
      }
    }
    let names: [String] =
      switch target {
      case .classes(_, let names): names
      case .values: [targetName]
      }
    return try TreeEnsemble(
      featureNames: features.names, featureKinds: features.kinds, outputNames: names, trees: trees,
      baseScores: bases, link: objective.link)
  }
}

/// Losses and their derivatives with respect to the scores.
private struct BoostingObjective {
  let target: Target
  let scoreCount: Int
  let link: TreeEnsemble.Link
  let baseScores: [Double]

  init(_ target: Target) {
    self.target = target
    switch target {
    case .values(let values):
      scoreCount = 1
      link = .identity
      baseScores = [values.reduce(0) { $0 + Double($1) } / Double(max(1, values.count))]
    case .classes(let labels, let names) where names.count == 2:
      scoreCount = 1
      link = .logistic(slope: 1)
      let share = Double(labels.count { $0 == 1 }) / Double(max(1, labels.count))
      baseScores = [share > 0 && share < 1 ? log(share / (1 - share)) : 0]
    case .classes(_, let names):
      scoreCount = names.count
      link = .softmax
      baseScores = [Double](repeating: 0, count: names.count)
    }
  }

  /// Pairs (gradient, hessian) of every row, for each score.
  func gradients(_ scores: [Double]) -> [[Double]] {
    let rows = target.count
    var result = [[Double]](repeating: [Double](repeating: 0, count: rows * 2), count: scoreCount)
    switch target {
    case .values(let values):
      for row in 0..<rows {
        result[0][2 * row] = scores[row] - Double(values[row])
        result[0][2 * row + 1] = 1
      }
    case .classes(let labels, _) where scoreCount == 1:
      for row in 0..<rows {
        let p = 1 / (1 + exp(-scores[row]))
        result[0][2 * row] = p - (labels[row] == 1 ? 1 : 0)
        result[0][2 * row + 1] = max(p * (1 - p), 1e-16)
      }
    case .classes(let labels, _):
      var powers = [Double](repeating: 0, count: scoreCount)
      for row in 0..<rows {
        var largest = -Double.infinity
        for score in 0..<scoreCount { largest = max(largest, scores[row * scoreCount + score]) }
        var sum = 0.0
        for score in 0..<scoreCount {
          powers[score] = exp(scores[row * scoreCount + score] - largest)
          sum += powers[score]
        }
        for score in 0..<scoreCount {
          let p = powers[score] / sum
          result[score][2 * row] = p - (labels[row] == score ? 1 : 0)
          // Twice the diagonal bounds the full hessian from above, which keeps steps safe.
          result[score][2 * row + 1] = max(2 * p * (1 - p), 1e-16)
        }
      }
    }
    return result
  }
}
