// The probes by name, and which of them a black box can be put to.

import Tables
import Tensors
import Trees

/// A way to ask how much each feature matters.
public enum ImportanceMethod: String, Sendable, CaseIterable {
  /// Exact SHAP values of a tree model.
  case shap
  /// What a tree model's splits gained while it grew.
  case impurity
  /// The fall of accuracy (for a quantity: the rise of the squared error) when a column is shuffled.
  case permutation
  /// The fall of the prediction when a cell is hidden behind what is usual.
  case occlusion
  /// Shapley values by sampling, of any black box.
  case samplingShap = "sampling-shap"
  /// Gradients along the way from the average row, of a network.
  case integratedGradients = "integrated-gradients"
  /// The gradient times the input, of a network.
  case gradientInput = "gradient-input"
  /// The attention of a network that has one.
  case attention

  /// Whether it says something of a single row.
  public var speaksOfRows: Bool { self != .impurity && self != .permutation }
}

/// A black box on a table, ready to be put to any probe.
public struct ImportanceProbe: Sendable {
  /// The black box.
  public let probed: ProbedBlackBox
  /// The table.
  public let table: Table
  /// The split: probes look at held-out rows and take what is usual from the training rows.
  public let split: Split
  /// What every random choice depends on.
  public let seed: UInt64
  /// The most held-out rows that are looked at; ten times as many are shuffled, a twentieth sampled.
  public var rowLimit = 400

  /// Background rows of sampling, which asks rows × background × features questions.
  private static let backgroundRows = 20
  private static let shuffles = 10

  /// A probe of a black box on a table.
  public init(_ probed: ProbedBlackBox, _ table: Table, split: Split, seed: UInt64) {
    self.probed = probed
    self.table = table
    self.split = split
    self.seed = seed
  }

  /// How much each feature of the table matters over the held-out rows, with intervals: over rows drawn again, for
  /// permutation the least and the greatest of ten shuffles, for impurity none.
  /// - Throws: `TabularExplainerError.cannotProbe` where the method does not fit the black box; what that throws.
  public func importance(by method: ImportanceMethod) throws -> FeatureImportance {
    switch method {
    case .impurity:
      guard let ensemble = probed.ensemble else { throw refusal(method) }
      return ensemble.impurityImportance().spread(over: table.features.names)
    case .permutation:
      let held = heldRows(rowLimit * 10)
      return try PermutationProbe(rows: held.count, repeats: Self.shuffles, seed: seed).importance(
        of: try answering(method), on: table.features.selecting(rows: held), score: score(of: held))
    case .shap:
      guard let ensemble = probed.ensemble else { throw refusal(method) }
      let held = heldRows(rowLimit)
      let shap = try ensemble.shapValues(table.features.selecting(rows: held))
      return shap.importance(names: ensemble.featureNames, draws: draws(held.count))
        .spread(over: table.features.names)
    case .occlusion, .samplingShap, .integratedGradients, .gradientInput, .attention:
      let held = heldRows(method == .samplingShap ? max(1, rowLimit / 20) : rowLimit)
      return try attributions(by: method, at: held).importance(draws: draws(held.count))
    }
  }

  /// How much groups of features matter when each is shuffled as a whole.
  /// - Throws: what the black box throws.
  public func importance(of groups: FeatureGroups) throws -> GroupImportance {
    let held = heldRows(rowLimit * 10)
    return try PermutationProbe(rows: held.count, repeats: Self.shuffles, seed: seed).importance(
      of: try answering(.permutation), on: table.features.selecting(rows: held), groups: groups,
      score: score(of: held))
  }

  /// What each feature contributes to the predicted output of the given rows of the table.
  /// - Precondition: `method.speaksOfRows`.
  /// - Throws: as `importance(by:)`.
  public func attributions(by method: ImportanceMethod, at rows: [Int]) throws -> RowAttributions {
    precondition(method.speaksOfRows, "\(method.rawValue) says nothing of single rows")
    let part = table.features.selecting(rows: rows)
    switch method {
    case .occlusion:
      return try OcclusionProbe(background: background(split.training.count))
        .attributions(of: try answering(method), at: part)
    case .samplingShap:
      let model = try answering(method)
      let values = try SamplingShapley(background: background(Self.backgroundRows), seed: seed)
        .values(of: model, at: part)
      return values.attributions(
        outputs: mostProbableClasses(try model.predict(part)), names: table.features.names)
    case .shap:
      guard let ensemble = probed.ensemble else { throw refusal(method) }
      return try ensemble.attributions(part, tableNames: table.features.names)
    case .integratedGradients:
      return try network(method).integratedGradients(part).spread(over: table.features.names)
    case .gradientInput:
      return try network(method).gradientTimesInput(part).spread(over: table.features.names)
    case .attention:
      guard let attention = try network(method).attention(part) else { throw refusal(method) }
      return attention.spread(over: table.features.names)
    case .impurity, .permutation: preconditionFailure("no rows")
    }
  }

  private func network(_ method: ImportanceMethod) throws -> NetworkBlackBox {
    guard let network = probed.blackBox as? NetworkBlackBox else { throw refusal(method) }
    return network
  }

  /// The black box, if it can be asked about rows that are not in the table.
  private func answering(_ method: ImportanceMethod) throws -> any BlackBox {
    guard probed.answersNewRows else { throw refusal(method) }
    return probed.blackBox
  }

  private func refusal(_ method: ImportanceMethod) -> TabularExplainerError {
    .cannotProbe(method: method.rawValue, model: probed.name)
  }

  private func heldRows(_ most: Int) -> [Int] { drawn(split.held, most, "probed rows") }

  private func background(_ most: Int) -> Features {
    table.features.selecting(rows: drawn(split.training, most, "background rows"))
  }

  private func drawn(_ rows: [Int], _ most: Int, _ stream: String) -> [Int] {
    guard rows.count > most else { return rows }
    var generator = SeededGenerator(seed: seed, stream: stream)
    return generator.permutation(of: rows.count).prefix(most).sorted().map { rows[$0] }
  }

  private func draws(_ rows: Int) -> BootstrapDraws { BootstrapDraws(rows: rows, count: 200, seed: seed) }

  /// Accuracy, or less the mean squared error.
  private func score(of rows: [Int]) -> (Tensor) -> Double {
    switch table.target {
    case .classes(let labels, _):
      let truth = rows.map { labels[$0] }
      return { predictions in
        let right = zip(mostProbableClasses(predictions), truth).count { $0 == $1 }
        return Double(right) / Double(max(1, truth.count))
      }
    case .values(let values):
      let truth = rows.map { values[$0] }
      return { predictions in
        let squares = zip(predictions.values, truth).reduce(0.0) {
          $0 + Double($1.0 - $1.1) * Double($1.0 - $1.1)
        }
        return -squares / Double(max(1, truth.count))
      }
    }
  }
}

extension RowAttributions {
  /// Global importance: the mean size of every feature's contributions, with intervals over rows drawn again.
  public func importance(draws: BootstrapDraws) -> FeatureImportance {
    let (rows, width) = (outputs.count, names.count)
    let plain = meanMagnitude
    guard rows > 0 else { return plain }
    let intervals = values.withValues { span in
      draws.intervals(measures: width) { weights in
        var sums = [Double](repeating: 0, count: width)
        for row in 0..<rows where weights[row] > 0 {
          for feature in 0..<width {
            sums[feature] += weights[row] * Double(abs(span[row * width + feature]))
          }
        }
        return sums.map { $0 / Double(rows) }
      }
    }
    return FeatureImportance(
      method: method, names: names, values: plain.values,
      intervals: intervals.map { $0.low <= $0.high ? $0.low...$0.high : 0...0 })
  }
}

extension RowAttributions {
  /// The same for the columns of a table, of which a model may not know all: those get 0.
  func spread(over table: [String]) -> RowAttributions {
    if table == names { return self }
    let places = Dictionary(zip(table, 0...), uniquingKeysWith: { first, _ in first })
    let columns = names.map { places[$0] }
    var cells = [Float](repeating: 0, count: outputs.count * table.count)
    values.withValues { span in
      for index in span.indices {
        guard let column = columns[index % names.count] else { continue }
        cells[index / names.count * table.count + column] = span[index]
      }
    }
    return RowAttributions(
      method: method, names: table, outputs: outputs,
      values: Tensor(cells, shape: [outputs.count, table.count]), predictions: predictions,
      baselines: baselines)
  }
}

extension FeatureImportance {
  /// The same for the columns of a table, of which a model may not know all: those get 0.
  fileprivate func spread(over table: [String]) -> FeatureImportance {
    if table == names { return self }
    let places = Dictionary(zip(names, 0...), uniquingKeysWith: { first, _ in first })
    return FeatureImportance(
      method: method, names: table, values: table.map { places[$0].map { values[$0] } ?? 0 },
      intervals: intervals.map { own in table.map { places[$0].map { own[$0] } ?? 0...0 } })
  }
}

extension TreeEnsemble {
  /// SHAP values of each row's predicted output, for every column of a table.
  fileprivate func attributions(_ part: Features, tableNames: [String]) throws -> RowAttributions {
    let outputs = mostProbableClasses(try predict(part))
    var cells = [Float](repeating: 0, count: part.rowCount * tableNames.count)
    var (predictions, baselines): ([Double], [Double]) = ([], [])
    for (row, output) in outputs.enumerated() {
      let own = try Contributions(.treeSHAP, self, part.selecting(rows: [row]), tableNames: tableNames)
      for (feature, values) in zip(own.features, own.values) {
        cells[row * tableNames.count + feature] = Float(values[output])
      }
      baselines.append(own.baseline[output])
      predictions.append(own.values.reduce(own.baseline[output]) { $0 + $1[output] })
    }
    return RowAttributions(
      method: "shap", names: tableNames, outputs: outputs,
      values: Tensor(cells, shape: [part.rowCount, tableNames.count]), predictions: predictions,
      baselines: baselines)
  }
}
