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
///
/// What is not given is chosen by the number of rows: from 2,000 on as in XGBoost; below, trees that each see a part of
/// the rows and of the features, with smaller leaves allowed.
public struct BoostingOptions: Sendable, Equatable, Codable {
  /// Rounds; each adds one tree a score.
  public var rounds = 100
  /// The most splits between a root and a leaf; at most 12.
  public var maximumDepth = 6
  /// What a tree's leaves are multiplied by.
  public var learningRate = 0.3
  /// λ: what is added to a leaf's hessian.
  public var regularisation = 1.0
  /// The least sum of hessians in a leaf, above 0; nil for 0.1 below 2,000 rows and 1 from there.
  public var minimumLeafWeight: Double?
  /// The most bins of a feature, 2 to 255; nil for 32 below 2,000 rows and 255 from there.
  public var maximumBins: Int?
  /// The share of rows that the trees of a round are fitted to, drawn anew for every round (Friedman 2002); nil for 0.8
  /// below 2,000 rows and 1 from there.
  public var rowShare: Double?
  /// The share of features that a tree may ask about, drawn anew for every tree; nil for 1 from 2,000 rows on, and below
  /// for all of them in the first three rounds and 0.3, but no fewer than eight, from then on.
  ///
  /// Trees that ask about different features do better where many tell the same; where few stand alone among noise,
  /// rounds that see all of them find those first.
  public var featureShare: Double?
  /// The seed of the rows and features drawn.
  public var seed: UInt64 = 0

  /// 100 rounds of depth 6 at XGBoost's learning rate and regularisation.
  public init() {}
}

/// The settings that hang on the size of a table.
struct BoostingScale {
  let minimumLeafWeight: Double
  let maximumBins: Int
  let rowsDrawn: Int
  let featuresDrawn: Int
  /// The first rounds, whose trees ask about all features.
  let openRounds: Int

  init(_ options: BoostingOptions, rows: Int, features: Int) {
    precondition(options.minimumLeafWeight ?? 1 > 0, "leaves without weight say nothing")
    let isSmall = rows < 2000
    minimumLeafWeight = options.minimumLeafWeight ?? (isSmall ? 0.1 : 1)
    maximumBins = options.maximumBins ?? (isSmall ? 32 : 255)
    func part(_ share: Double, of count: Int, least: Int) -> Int {
      min(count, max(least, Int((share * Double(count)).rounded())))
    }
    rowsDrawn = part(options.rowShare ?? (isSmall ? 0.8 : 1), of: rows, least: 1)
    featuresDrawn =
      options.featureShare.map { part($0, of: features, least: 1) }
      ?? (isSmall ? part(0.3, of: features, least: 8) : features)
    openRounds = options.featureShare == nil ? 3 : 0
  }
}

extension TreeEnsemble {
  /// Gradient-boosted trees for a target: logistic for two classes, softmax for more, squared error for quantities.
  ///
  /// Missing cells go the way that fits best, split by split; a category set is found by ordering the categories by
  /// their gradients. The same data and seed give the same trees, on any number of threads.
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
    let scale = BoostingScale(options, rows: rows, features: features.count)
    let quantised = QuantisedFeatures(features, maximumBins: scale.maximumBins)
    var scores = [Double](repeating: 0, count: rows * objective.scoreCount)
    let bases = objective.baseScores
    for row in 0..<rows {
      for score in bases.indices { scores[row * bases.count + score] = bases[score] }
    }
    var trees: [Tree] = []
    trees.reserveCapacity(options.rounds * bases.count)
    var draws = BoostingDraws(scale, rows: rows, features: features.count, seed: options.seed)
    for round in 0..<options.rounds {
      var gradients = objective.gradients(scores)
      let leftOut = draws.rowsLeftOut()
      for score in bases.indices {
        // Given away, not shared: the grower moves them about.
        var own: [Float] = []
        swap(&own, &gradients[score])
        // A row without weight still finds its leaf, and with it its next gradient.
        for row in leftOut { (own[2 * row], own[2 * row + 1]) = (0, 0) }
        var grower = LevelGrower(
          quantised, asking: draws.features(round: round), gradients: consume own, options: options,
          minimumLeafWeight: scale.minimumLeafWeight)
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

/// The rows and features that trees are fitted to.
private struct BoostingDraws {
  private let scale: BoostingScale
  private let rowCount: Int
  private let featureCount: Int
  private var generator: SeededGenerator

  init(_ scale: BoostingScale, rows: Int, features: Int, seed: UInt64) {
    self.scale = scale
    rowCount = rows
    featureCount = features
    generator = SeededGenerator(seed: seed, stream: "boosting")
  }

  mutating func rowsLeftOut() -> ArraySlice<Int> {
    scale.rowsDrawn == rowCount ? [] : generator.permutation(of: rowCount).dropFirst(scale.rowsDrawn)
  }

  mutating func features(round: Int) -> [Int] {
    scale.featuresDrawn == featureCount || round < scale.openRounds
      ? Array(0..<featureCount)
      : generator.permutation(of: featureCount).prefix(scale.featuresDrawn).sorted()
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
  func gradients(_ scores: [Double]) -> [[Float]] {
    let rows = target.count
    var result = [[Float]](repeating: [Float](repeating: 0, count: rows * 2), count: scoreCount)
    switch target {
    case .values(let values):
      for row in 0..<rows {
        result[0][2 * row] = Float(scores[row] - Double(values[row]))
        result[0][2 * row + 1] = 1
      }
    case .classes(let labels, _) where scoreCount == 1:
      for row in 0..<rows {
        let p = 1 / (1 + exp(-scores[row]))
        result[0][2 * row] = Float(p - (labels[row] == 1 ? 1 : 0))
        result[0][2 * row + 1] = Float(max(p * (1 - p), 1e-16))
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
          result[score][2 * row] = Float(p - (labels[row] == score ? 1 : 0))
          // Twice the diagonal bounds the full hessian from above, which keeps steps safe.
          result[score][2 * row + 1] = Float(max(2 * p * (1 - p), 1e-16))
        }
      }
    }
    return result
  }
}
