// Random forests (Breiman 2001) and extremely randomised trees (Geurts, Ernst & Wehenkel 2006).

import Tables
import Tensors

/// How the trees of a forest are grown.
public struct ForestOptions: Sendable, Equatable, Codable {
  /// How a split is chosen in a node.
  public enum Splitting: String, Sendable, Codable {
    /// The best cut of each drawn feature.
    case best
    /// One random cut of each drawn feature, between its least and its greatest value in the node.
    case random
  }

  /// The number of trees.
  public var treeCount = 100
  /// Best cuts make a random forest, random cuts extra trees.
  public var splitting: Splitting
  /// Whether each tree sees rows drawn with replacement rather than all rows.
  public var drawsRows: Bool
  /// How many features are drawn in a node; nil for √features with classes, all features with quantities.
  public var featuresPerSplit: Int?
  /// The fewest rows in a leaf; nil for one, and in tables of more than 100,000 rows for as many times 50,000 as there are.
  public var minimumLeafRows: Int?
  /// The fewest rows of a category that a split may name, see `RareCategories`; nil for four, fewer below eighty rows.
  public var minimumCategoryRows: Int?
  /// The most splits between a root and a leaf; nil for no limit.
  public var maximumDepth: Int?
  /// The seed of every choice.
  public var seed: UInt64 = 0

  /// A random forest: drawn rows, best cuts.
  public static var randomForest: ForestOptions { ForestOptions(splitting: .best, drawsRows: true) }

  /// Extra trees: all rows, random cuts.
  public static var extraTrees: ForestOptions { ForestOptions(splitting: .random, drawsRows: false) }

  /// The fewest rows in a leaf of a tree that is fitted to so many.
  func leafRows(of rows: Int) -> Int { minimumLeafRows ?? max(1, rows / 50_000) }

  private init(splitting: Splitting, drawsRows: Bool) {
    self.splitting = splitting
    self.drawsRows = drawsRows
  }
}

/// A grown forest and what its trees say of rows they have not seen.
public struct GrownForest: Sendable {
  /// The trees.
  public let ensemble: TreeEnsemble
  /// Predictions for the training rows by the trees that did not see them, shape `[rows, outputs]`; NaN where every
  /// tree saw the row. Nil where every tree sees every row.
  public let outOfBag: Tensor?
}

extension TreeEnsemble {
  /// A forest for a target: leaves hold class shares or means, predictions are averages over trees.
  ///
  /// Missing cells go to the side that fits best (random forest) or a random side (extra trees), and to the larger
  /// side where none was missing. Categories are parted as sets. The same seed gives the same trees.
  /// - Throws: `TreeError.oneClass` or `.noRows`.
  public static func forest(
    _ features: Features, target: Target, targetName: String, options: ForestOptions
  ) throws(TreeError) -> GrownForest {
    precondition(features.rowCount == target.count, "\(features.rowCount) rows, \(target.count) targets")
    guard features.rowCount > 0 else { throw .noRows }
    var names = [targetName]
    if case .classes(let labels, let classes) = target {
      names = classes
      if Set(labels).count < 2 { throw .oneClass(labels.first.map { classes[$0] } ?? "") }
    }
    var options = options
    if options.featuresPerSplit == nil, case .classes = target {
      options.featuresPerSplit = max(1, Int(Double(features.count).squareRoot()))
    }
    let grown = growTrees(features, GrowingTarget(target), options)
    let ensemble = try TreeEnsemble(
      featureNames: features.names, featureKinds: features.kinds, outputNames: names,
      trees: grown.map(\.tree), baseScores: [Double](repeating: 0, count: names.count),
      scale: 1 / Double(max(1, grown.count)), link: .identity, scales: features.scales)
    return GrownForest(
      ensemble: ensemble,
      outOfBag: options.drawsRows ? ensemble.outOfBag(features, seen: grown.map(\.seen)) : nil)
  }

  /// A forest (or, with one tree, a single tree) whose leaves hold mean vectors: a surrogate of probabilities.
  ///
  /// - Parameter vectors: shape `[rows, outputs]`.
  /// - Throws: `TreeError.noRows`.
  public static func forest(
    _ features: Features, vectors: Tensor, outputNames: [String], options: ForestOptions
  ) throws(TreeError) -> TreeEnsemble {
    precondition(vectors.shape == [features.rowCount, outputNames.count], "targets \(vectors.shape)")
    guard features.rowCount > 0 else { throw .noRows }
    let target = GrowingTarget(vectors: vectors.values.map(Double.init), width: outputNames.count)
    let grown = growTrees(features, target, options)
    return try TreeEnsemble(
      featureNames: features.names, featureKinds: features.kinds, outputNames: outputNames,
      trees: grown.map(\.tree), baseScores: [Double](repeating: 0, count: outputNames.count),
      scale: 1 / Double(max(1, grown.count)), link: .identity, scales: features.scales)
  }

  private static func growTrees(
    _ features: Features, _ target: GrowingTarget, _ options: ForestOptions
  ) -> [GrownTree] {
    // Random cuts need the values themselves; best cuts are found over codes.
    let quantised =
      options.splitting == .best
      ? QuantisedFeatures(
        features, maximumBins: 255, minimumCategoryRows: options.minimumCategoryRows) : nil
    let rare = quantised == nil ? RareCategories.find(features, minimum: options.minimumCategoryRows) : [:]
    let draws = min(options.featuresPerSplit ?? features.count, features.count)
    return features.withCells { cells in
      let rowMajor =
        quantised == nil && RowMajorCells.serve(features, drawing: draws)
        ? RowMajorCells(cells, rowCount: features.rowCount, featureCount: features.count) : nil
      return parallelMap(options.treeCount) { index in
        var grower = ForestTreeGrower(
          features, cells, quantised, rowMajor: rowMajor, rare: rare, target, options, tree: index)
        return grower.grow()
      }
    }
  }

  /// Averages over the trees that did not see a row.
  private func outOfBag(_ features: Features, seen: [[Bool]]) -> Tensor {
    let (rows, width) = (features.rowCount, scoreCount)
    var sums = [Double](repeating: 0, count: rows * width)
    var counts = [Double](repeating: 0, count: rows)
    sums.withUnsafeMutableBufferPointer { sums in
      counts.withUnsafeMutableBufferPointer { counts in
        guard let sums = sums.baseAddress, let counts = counts.baseAddress else { return }
        let (sharedSums, sharedCounts) = (SendablePointer(sums), SendablePointer(counts))
        parallelRanges(rows, minimum: 16) { range in
          for (tree, seen) in zip(trees, seen) {
            for row in range where !seen[row] {
              let leaf = tree.leaf { features[row, $0] }
              let first = Int(tree.nodes[leaf].left)
              for score in 0..<width {
                sharedSums.base[row * width + score] += tree.leafValues[first + score]
              }
              sharedCounts.base[row] += 1
            }
          }
        }
      }
    }
    let means = sums.indices.map { Float(sums[$0] / counts[$0 / width]) }
    return Tensor(means, shape: [rows, width])
  }
}

/// A tree and which rows it has seen (empty where it saw all).
struct GrownTree: Sendable {
  var tree: Tree
  var seen: [Bool]
}
