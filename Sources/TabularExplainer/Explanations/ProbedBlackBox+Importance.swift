// Ranking features by what they mean to a black box.

import Tables
import Tensors
import Trees

extension ProbedBlackBox {
  /// More work than this, in nodes times rows, is not spent on SHAP values: fewer rows are taken.
  private static let shapBudget = 60_000_000
  /// Nor are more values kept than this, in used features times rows.
  private static let keptValues = 2_000_000
  /// Features beyond this are screened before each of the others is permuted.
  private static let permutedFeatures = 300
  private static let permutedRows = 400

  /// A black box whose features are ranked: by mean |SHAP| where it is made of trees, else by permutation.
  ///
  /// - Parameter features: the training rows, in the order of `trainingOutputs`.
  /// - Throws: what the black box throws.
  public init(
    name: String, blackBox: any BlackBox, trainingOutputs: Tensor, outputSource: OutputSource,
    ensemble: TreeEnsemble?, features: Features, seed: UInt64
  ) throws {
    self.init(
      name: name, blackBox: blackBox, trainingOutputs: trainingOutputs, outputSource: outputSource,
      importance: [], importanceMethod: "", ensemble: ensemble)
    var generator = SeededGenerator(seed: seed, stream: "importance rows")
    let order = generator.permutation(of: features.rowCount)
    if let ensemble {
      let nodes = max(1, ensemble.trees.reduce(0) { $0 + $1.nodes.count })
      let used = max(1, ensemble.usedFeatures.count)
      let rows = order.prefix(max(20, min(Self.shapBudget / nodes, Self.keptValues / used))).sorted()
      importanceByRow = try ensemble.absoluteShapValues(features, rows: rows)
      importance = importanceByRow.mean
      importanceByRow = importanceByRow.narrowed(to: importance, keeping: Self.permutedFeatures)
      importanceMethod = "mean_abs_shap"
    } else if let network = blackBox as? NetworkBlackBox {
      let rows = order.prefix(Self.permutedRows).sorted()
      let attributions = try network.integratedGradients(features.selecting(rows: rows))
        .spread(over: features.names)
      importance = attributions.meanMagnitude.values
      importanceByRow = ImportanceByRow(attributions, keeping: Self.permutedFeatures)
      importanceMethod = "integrated_gradients"
    } else if blackBox is ColumnBlackBox {
      // Nothing can be asked; what a rich surrogate makes of the features has to do.
      let fitter = SurrogateFitter(
        features, using: Self.screened(features, trainingOutputs), rows: Array(0..<features.rowCount),
        targets: trainingOutputs, outputNames: blackBox.outputNames)
      let stand = try fitter.fit(SurrogatePlan(.treeSum, size: 160, leavesPerTree: 4))
      if case .trees(let trees) = stand.model {
        importanceByRow = try trees.absoluteShapValues(
          features, rows: order.prefix(Self.permutedRows).sorted())
      }
      importance = importanceByRow.mean
      importanceMethod = "surrogate_mean_abs_shap"
    } else {
      let rows = order.prefix(Self.permutedRows).sorted()
      importanceByRow = try Self.permutationEffects(
        blackBox, features.selecting(rows: rows), candidates: Self.screened(features, trainingOutputs),
        &generator)
      importance = importanceByRow.mean
      importanceMethod = "permutation_effect"
    }
  }

  /// The features worth permuting: all, or those whose cells go with the outputs most.
  private static func screened(_ features: Features, _ outputs: Tensor) -> [Int] {
    guard features.count > permutedFeatures else { return Array(0..<features.count) }
    let (rows, width) = (features.rowCount, outputs.shape[1])
    let values = outputs.values
    let strengths = (0..<features.count).map { feature -> Double in
      let column = features.column(feature).map { $0.isNaN ? 0 : Double($0) }
      return (0..<width).reduce(0) { best, output in
        max(best, squaredCorrelation(column, (0..<rows).map { Double(values[$0 * width + output]) }))
      }
    }
    return strengths.indices.sorted { (-strengths[$0], $0) < (-strengths[$1], $1) }.prefix(permutedFeatures)
      .sorted()
  }

  private static func squaredCorrelation(_ x: [Double], _ y: [Double]) -> Double {
    let n = Double(max(x.count, 1))
    let (meanX, meanY) = (x.reduce(0, +) / n, y.reduce(0, +) / n)
    var (xx, xy, yy) = (0.0, 0.0, 0.0)
    for (a, b) in zip(x, y) {
      xx += (a - meanX) * (a - meanX)
      xy += (a - meanX) * (b - meanY)
      yy += (b - meanY) * (b - meanY)
    }
    return xx > 0 && yy > 0 ? xy * xy / (xx * yy) : 0
  }

  /// How far each row's outputs move, in mean squares, when a feature's cells are shuffled among the rows.
  private static func permutationEffects(
    _ blackBox: any BlackBox, _ features: Features, candidates: [Int], _ generator: inout SeededGenerator
  ) throws -> ImportanceByRow {
    let plain = try blackBox.predict(features).values
    let width = plain.count / max(1, features.rowCount)
    var effects = ImportanceByRow(featureCount: features.count)
    effects.features = candidates
    effects.rows = [[Float]](
      repeating: [Float](repeating: 0, count: candidates.count), count: features.rowCount)
    for (place, feature) in candidates.enumerated() {
      let order = generator.permutation(of: features.rowCount)
      var values = features.values
      for (row, source) in order.enumerated() {
        values[feature * features.rowCount + row] = features[source, feature]
      }
      let shuffled = features.replacing(rowCount: features.rowCount, values: values)
      let moved = try blackBox.predict(shuffled).values
      for row in 0..<features.rowCount {
        let squares: Double = (row * width..<(row + 1) * width).reduce(0) { sum, index in
          let change = Double(plain[index] - moved[index])
          return sum + change * change
        }
        effects.rows[row][place] = Float(squares / Double(max(width, 1)))
      }
    }
    return effects
  }
}

/// How important each feature is in each of some rows, for the features that matter at all.
public struct ImportanceByRow: Sendable, Equatable {
  /// The features' indices in the table.
  public var features: [Int]
  /// `[row][feature]`, in the order of `features`.
  public var rows: [[Float]]
  /// The number of features of the table.
  public var featureCount: Int

  /// Nothing known.
  public init(featureCount: Int = 0) {
    features = []
    rows = []
    self.featureCount = featureCount
  }

  /// The mean over rows, for every feature of the table.
  public var mean: [Double] { mean(weights: [Double](repeating: 1, count: rows.count)) }

  /// The mean over weighted rows, for every feature of the table.
  func mean(weights: [Double]) -> [Double] {
    var means = [Double](repeating: 0, count: featureCount)
    for (feature, mean) in zip(features, meansOfKnown(weights: weights)) { means[feature] += mean }
    return means
  }

  /// The mean over weighted rows, in the order of `features`.
  private func meansOfKnown(weights: [Double]) -> [Double] {
    var sums = [Double](repeating: 0, count: features.count)
    let total = max(weights.reduce(0, +), .leastNormalMagnitude)
    for (row, weight) in zip(rows, weights) where weight != 0 {
      for place in sums.indices { sums[place] += weight * Double(row[place]) }
    }
    return sums.map { $0 / total }
  }

  /// Intervals by feature, over rows drawn again, for the features whose importance is known row by row.
  public func intervals(seed: UInt64) -> [Int: Interval] {
    let own = BootstrapDraws(rows: rows.count, count: 100, seed: seed)
      .intervals(measures: features.count) { meansOfKnown(weights: $0) }
    return Dictionary(zip(features, own), uniquingKeysWith: { first, _ in first })
  }

  /// The size of each row's contributions, for the `most` features that matter most.
  init(_ attributions: RowAttributions, keeping most: Int) {
    self.init(featureCount: attributions.names.count)
    features = attributions.meanMagnitude.top(most).sorted()
    let width = featureCount
    rows = attributions.values.withValues { span in
      attributions.outputs.indices.map { row in features.map { abs(span[row * width + $0]) } }
    }
  }

  /// The `most` features with the highest means alone: nobody asks how the others' importance varies.
  func narrowed(to means: [Double], keeping most: Int) -> ImportanceByRow {
    guard features.count > most else { return self }
    let order = features.indices.sorted { (-means[features[$0]], $0) < (-means[features[$1]], $1) }
    let kept = order.prefix(most).sorted()
    var result = ImportanceByRow(featureCount: featureCount)
    result.features = kept.map { features[$0] }
    result.rows = rows.map { row in kept.map { row[$0] } }
    return result
  }
}

extension TreeEnsemble {
  /// |SHAP| of every given row and used feature, summed over scores.
  ///
  /// Rows are taken few at a time: contributions to all scores of all rows would be many times the table.
  func absoluteShapValues(_ features: Features, rows: [Int]) throws -> ImportanceByRow {
    let places = Dictionary(zip(features.names, 0...), uniquingKeysWith: { first, _ in first })
    var result = ImportanceByRow(featureCount: features.count)
    result.features = usedFeatures.map { places[featureNames[$0]] ?? 0 }
    result.rows.reserveCapacity(rows.count)
    let (used, width) = (usedFeatures.count, scoreCount)
    let atOnce = max(16, 400_000 / max(1, used * width))
    for start in stride(from: 0, to: rows.count, by: atOnce) {
      let part = Array(rows[start..<min(start + atOnce, rows.count)])
      let shap = try shapValues(features.selecting(rows: part))
      result.rows += part.indices.map { row in
        (0..<used).map { feature in
          let first = (row * used + feature) * width
          return Float((first..<first + width).reduce(0.0) { $0 + abs(shap.values[$1]) })
        }
      }
    }
    return result
  }
}
