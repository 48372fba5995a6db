// The one type behind every tree model: our forests and boosted trees, imported ones, and surrogates.

import Tables

/// A sum of trees with a link: forests, boosted trees and single trees, for classification and regression.
///
/// Scores are `baseScores + scale · Σ leaf values`, one per score; `link` turns scores into predictions:
///
/// | model | leaves | scale | link |
/// |---|---|---|---|
/// | forest, classification | class probabilities | 1 / trees | identity |
/// | forest, regression | mean | 1 / trees | identity |
/// | boosted, two classes | one number | 1 | logistic |
/// | boosted, k classes | one number, tree `t` for score `t mod k` | 1 | softmax |
/// | boosted, regression | one number | 1 | identity |
public struct TreeEnsemble: Sendable, Equatable {
  /// The features' names, in the order that `Tree.Node.feature` counts them.
  public let featureNames: [String]
  /// How the features' values are to be read; category indices in trees refer to these category names.
  public let featureKinds: [FeatureKind]
  /// The classes' names, or one name for a regression.
  public let outputNames: [String]
  /// The trees.
  public let trees: [Tree]
  /// What a score starts from, one number per score.
  public let baseScores: [Double]
  /// What every leaf value is multiplied by.
  public let scale: Double
  /// How scores become predictions.
  public let link: Link
  /// For features whose cells stand for doubles, the scale that thresholds are counted in; by feature.
  public let scales: [Int: ExactScale]

  /// How scores become predictions.
  public enum Link: Sendable, Equatable, Codable {
    /// Predictions are the scores.
    case identity
    /// One score `s`; predictions `[1 − p, p]` with `p = 1 / (1 + exp(−slope · s))`.
    case logistic(slope: Double)
    /// Every score through a logistic function of its own.
    case logisticEach(slope: Double)
    /// Predictions are `exp(sᵢ) / Σ exp(sⱼ)`.
    case softmax
    /// Predictions are `exp(s)` (Poisson, gamma and Tweedie regressions).
    case exponential
    /// Predictions are `s · |s|`: a regression of the target's square root.
    case signedSquare
    /// One score; predictions are `[1 − s, s]`.
    case complement
    /// One score; predictions are `[0, 1]` where it is above 0, else `[1, 0]`.
    case step

    /// The number of predictions made from `scores` scores.
    public func outputCount(scores: Int) -> Int {
      switch self {
      case .logistic, .complement, .step: 2
      case .identity, .logisticEach, .softmax, .exponential, .signedSquare: scores
      }
    }
  }

  /// The number of scores: the number of outputs, or 1 for a logistic link of two classes.
  public var scoreCount: Int { baseScores.count }

  /// An ensemble from its parts, checked.
  /// - Throws: `TreeError` where trees refer to features or scores that do not exist, or outputs do not fit the link.
  public init(
    featureNames: [String], featureKinds: [FeatureKind], outputNames: [String], trees: [Tree],
    baseScores: [Double], scale: Double = 1, link: Link, scales: [Int: ExactScale] = [:]
  ) throws(TreeError) {
    guard featureNames.count == featureKinds.count else {
      throw .malformedEnsemble(problem: "\(featureNames.count) feature names, \(featureKinds.count) kinds")
    }
    guard scale.isFinite, baseScores.allSatisfy(\.isFinite) else {
      throw .malformedEnsemble(problem: "its scale or base scores are not finite numbers")
    }
    let outputs = link.outputCount(scores: baseScores.count)
    guard outputs == outputNames.count else {
      throw .malformedEnsemble(
        problem: "\(baseScores.count) scores give \(outputs) outputs; there are \(outputNames.count) names")
    }
    for (index, tree) in trees.enumerated() {
      if let output = tree.output, !baseScores.indices.contains(output) {
        throw .malformedTree(
          tree: index, node: 0, problem: "it adds to score \(output) of \(baseScores.count)")
      }
      let width = tree.output == nil ? baseScores.count : 1
      for (place, node) in tree.nodes.enumerated() {
        if node.isLeaf {
          guard Int(node.left) + width <= tree.leafValues.count else {
            throw .malformedTree(
              tree: index, node: place, problem: "its leaf holds fewer than \(width) numbers")
          }
        } else if node.feature >= featureNames.count {
          throw .malformedTree(
            tree: index, node: place, problem: "feature \(node.feature) of \(featureNames.count)")
        }
      }
    }
    self.featureNames = featureNames
    self.featureKinds = featureKinds
    self.outputNames = outputNames
    self.trees = trees
    self.baseScores = baseScores
    self.scale = scale
    self.link = link
    self.scales = scales
  }

  /// The same trees with other thresholds in numeric splits.
  /// - Parameter move: takes a split's feature and its threshold, and gives the new one.
  public func mappingThresholds(_ move: (Int, Float) -> Float) -> TreeEnsemble {
    TreeEnsemble(
      self, trees: trees.map { $0.mappingThresholds(move) }, featureNames: featureNames, scales: [:])
  }

  /// The same trees with all scores multiplied by a factor.
  public func multiplyingScores(by factor: Double) -> TreeEnsemble {
    TreeEnsemble(self, trees: trees, featureNames: featureNames, scales: scales, factor: factor)
  }

  /// The same trees with other names for their features.
  /// - Precondition: as many names as features.
  public func renamed(_ names: [String]) -> TreeEnsemble {
    precondition(names.count == featureNames.count, "\(names.count) names for \(featureNames.count) features")
    return TreeEnsemble(self, trees: trees, featureNames: names, scales: scales)
  }

  private init(
    _ other: TreeEnsemble, trees: [Tree], featureNames: [String], scales: [Int: ExactScale],
    factor: Double = 1
  ) {
    self.featureNames = featureNames
    featureKinds = other.featureKinds
    outputNames = other.outputNames
    self.trees = trees
    baseScores = other.baseScores.map { $0 * factor }
    scale = other.scale * factor
    link = other.link
    self.scales = scales
  }

  /// The features that some tree asks about, in rising order.
  public var usedFeatures: [Int] {
    var used = [Bool](repeating: false, count: featureNames.count)
    for tree in trees {
      for node in tree.nodes where !node.isLeaf { used[Int(node.feature)] = true }
    }
    return used.indices.filter { used[$0] }
  }
}
