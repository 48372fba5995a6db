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

  /// Whether it measures rows or features one by one, so that several processes can measure a part each.
  public var measuresParts: Bool { self != .impurity }
}

/// What a method measures before it is summed up.
public enum ImportanceMeasurements: Sendable, Equatable {
  /// What shuffling each feature lost, `[feature][shuffle]`; nothing for features that the black box does not ask about.
  case losses([[Double]])
  /// How much each feature matters at each row.
  case magnitudes(RowMagnitudes)
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
    guard method != .impurity else {
      guard let ensemble = probed.ensemble else { throw refusal(method) }
      return ensemble.impurityImportance().spread(over: table.features.names)
    }
    return importance(from: try measurements(by: method, of: 0..<unitCount(of: method)))
  }

  /// How many units of work a method has: features that are shuffled, or rows that are looked at.
  /// - Precondition: `method.measuresParts`.
  public func unitCount(of method: ImportanceMethod) -> Int {
    method == .permutation ? table.features.count : probedRows(method).count
  }

  /// What a method measures of some units.
  /// - Precondition: `method.measuresParts`.
  /// - Throws: as `importance(by:)`.
  public func measurements(by method: ImportanceMethod, of units: Range<Int>) throws -> ImportanceMeasurements
  {
    precondition(method.measuresParts, "\(method.rawValue) has no parts")
    if method == .permutation {
      let held = heldRows(rowLimit * 10)
      let losses = try PermutationProbe(rows: held.count, repeats: Self.shuffles, seed: seed).losses(
        of: try answering(method), on: table.features.selecting(rows: held), only: units,
        score: score(of: held))
      return .losses(losses)
    }
    let rows = Array(probedRows(method)[units])
    if method == .shap {
      guard let ensemble = probed.ensemble else { throw refusal(method) }
      let shap = try ensemble.shapValues(table.features.selecting(rows: rows))
      return .magnitudes(shap.magnitudes(names: ensemble.featureNames))
    }
    return .magnitudes(try attributions(by: method, at: rows, countedFrom: units.lowerBound).magnitudes)
  }

  /// The importance that measurements of all units stand for.
  public func importance(from measurements: ImportanceMeasurements) -> FeatureImportance {
    switch measurements {
    case .losses(let losses):
      let found = losses.map { PermutationProbe.Losses(values: $0) }
      return FeatureImportance(
        method: "permutation", names: table.features.names, values: found.map(\.mean),
        intervals: found.map(\.range))
    case .magnitudes(let magnitudes):
      return magnitudes.importance(draws: draws(magnitudes.rowCount)).spread(over: table.features.names)
    }
  }

  /// The held-out rows that a method looks at one by one.
  private func probedRows(_ method: ImportanceMethod) -> [Int] {
    heldRows(method == .samplingShap ? max(1, rowLimit / 20) : rowLimit)
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
  /// - Parameter first: the number of the first row, which random choices for it follow.
  /// - Precondition: `method.speaksOfRows`.
  /// - Throws: as `importance(by:)`.
  public func attributions(
    by method: ImportanceMethod, at rows: [Int], countedFrom first: Int = 0
  ) throws -> RowAttributions {
    precondition(method.speaksOfRows, "\(method.rawValue) says nothing of single rows")
    let part = table.features.selecting(rows: rows)
    switch method {
    case .occlusion:
      return try OcclusionProbe(background: background(split.training.count))
        .attributions(of: try answering(method), at: part)
    case .samplingShap:
      let model = try answering(method)
      let values = try SamplingShapley(background: background(Self.backgroundRows), seed: seed)
        .values(of: model, at: part, countedFrom: first)
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
