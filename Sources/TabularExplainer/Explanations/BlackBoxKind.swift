// Our own black boxes by name: fitting them, and their honest outputs for the rows they were fitted to.

import Tables
import Tensors
import Trees

/// A kind of black box that can be fitted here.
public enum BlackBoxKind: String, Sendable, CaseIterable {
  /// A random forest.
  case forest
  /// Extremely randomised trees.
  case extraTrees = "extra-trees"
  /// Gradient-boosted trees.
  case boosted
  /// A multi-layer perceptron.
  case perceptron = "mlp"
  /// The convolutional autoencoder with a self-attention head.
  case convolutionalAttention = "cae-san"
}

extension BlackBoxKind {
  /// The number of folds behind cross-fitted outputs: two where half of the rows are plenty.
  private static func crossFits(rows: Int) -> Int { rows > 100_000 ? 2 : 4 }

  /// Fits a black box to the training rows of a table and ranks the features by what they mean to it.
  /// - Parameter progress: told what is waited for.
  /// - Throws: `TreeError`, `TableError`, or `TabularExplainerError` where there is nothing to learn.
  public func probed(
    _ table: Table, training: [Int], seed: UInt64, progress: (String) -> Void = { _ in }
  ) throws -> ProbedBlackBox {
    let part = table.selecting(rows: training)
    if case .values(let values) = part.target, let first = values.first, values.allSatisfy({ $0 == first }) {
      throw TabularExplainerError.constantTarget(target: part.targetName, value: first)
    }
    guard part.features.hasVaryingFeature else {
      throw TabularExplainerError.nothingVaries(features: part.features.count)
    }
    progress("fitting \(rawValue) to \(part.rowCount) rows")
    var fitted = try fit(part, seed: seed)
    var outputs = try fitted.outOfBag ?? crossFitted(part, seed: seed, progress: progress)
    if self == .boosted, case .classes(let labels, _) = part.target, let ensemble = fitted.ensemble {
      let calibration = Calibration(outputs, labels: labels)
      if calibration.factor < 1 {
        let shrunk = ensemble.multiplyingScores(by: calibration.factor)
        fitted = Fitted(blackBox: TreeBlackBox(shrunk), ensemble: shrunk, outOfBag: nil)
        outputs = calibration.applied(to: outputs)
      }
    }
    progress("ranking \(part.features.count) features by what they mean to the black box")
    var probed = try ProbedBlackBox(
      name: rawValue, blackBox: fitted.blackBox, trainingOutputs: filledWithMeans(outputs),
      outputSource: fitted.outOfBag == nil ? .crossFitted : .outOfBag, ensemble: fitted.ensemble,
      features: part.features, seed: seed)
    probed.refit = { table, rows, seed in try refitted(table, rows: rows, seed: seed) }
    return probed
  }

  /// A black box of the kind for redrawn rows: its outputs for these are its own, without cross-fitting.
  private func refitted(_ table: Table, rows: [Int], seed: UInt64) throws -> ProbedBlackBox {
    let part = table.selecting(rows: rows)
    let fitted = try fit(part, seed: seed)
    let outputs = try fitted.outOfBag ?? fitted.blackBox.predict(part.features)
    return try ProbedBlackBox(
      name: rawValue, blackBox: fitted.blackBox, trainingOutputs: filledWithMeans(outputs),
      outputSource: fitted.outOfBag == nil ? .crossFitted : .outOfBag, ensemble: fitted.ensemble,
      features: part.features, seed: seed)
  }

  /// What black boxes of the kind say of rows that they were not fitted to.
  private func crossFitted(_ table: Table, seed: UInt64, progress: (String) -> Void) throws -> Tensor {
    let wanted = Self.crossFits(rows: table.rowCount)
    let folds = try table.folds(min(wanted, table.distinctRowCount), seed: seed)
    var fold = 0
    return try crossPredictions(table, folds: folds) { rows in
      fold += 1
      progress("fitting \(rawValue) to all rows but those of fold \(fold) of \(folds.count)")
      return try fit(table.selecting(rows: rows), seed: seed).blackBox
    }
  }

  fileprivate struct Fitted {
    var blackBox: any BlackBox
    var ensemble: TreeEnsemble?
    var outOfBag: Tensor?
  }

  private func fit(_ table: Table, seed: UInt64) throws -> Fitted {
    switch self {
    case .forest, .extraTrees:
      var options: ForestOptions = self == .forest ? .randomForest : .extraTrees
      options.treeCount = 200
      options.seed = seed
      return Fitted(try TreeModel.forest(options).fit(table))
    case .boosted:
      var options = BoostingOptions()
      options.seed = seed
      return Fitted(try TreeModel.boosted(options).fit(table))
    case .perceptron, .convolutionalAttention:
      let architecture: NetworkArchitecture =
        self == .perceptron ? .perceptron(.init()) : .convolutionalAttention(.init())
      let network = try NetworkBlackBox(
        fitting: table.features, table.target, architecture, targetName: table.targetName, seed: seed)
      return Fitted(blackBox: network, ensemble: nil, outOfBag: nil)
    }
  }

  /// The kind that usually does best on tables of this shape: boosted trees where rows are many, else extra trees.
  public static func usual(for table: Table) -> BlackBoxKind {
    let classes = if case .classes(_, let names) = table.target { names.count } else { 1 }
    return table.rowCount >= 50 * classes && table.features.count * 5 <= table.rowCount
      ? .boosted : .extraTrees
  }
}

extension BlackBoxKind.Fitted {
  fileprivate init(_ fitted: TreeModel.Fitted) {
    self.init(blackBox: TreeBlackBox(fitted.ensemble), ensemble: fitted.ensemble, outOfBag: fitted.outOfBag)
  }
}

/// Rows without outputs (no tree left them out) get the mean of the others.
private func filledWithMeans(_ outputs: Tensor) -> Tensor {
  let (rows, width) = (outputs.shape[0], outputs.shape[1])
  var values = outputs.values
  guard values.contains(where: \.isNaN) else { return outputs }
  for output in 0..<width {
    let known = (0..<rows).map { values[$0 * width + output] }.filter { !$0.isNaN }
    let mean = known.isEmpty ? 1 / Float(width) : known.reduce(0, +) / Float(known.count)
    for row in 0..<rows where values[row * width + output].isNaN { values[row * width + output] = mean }
  }
  return Tensor(values, shape: outputs.shape)
}

extension Features {
  /// Whether some feature has two different cells.
  public var hasVaryingFeature: Bool {
    (0..<count).contains { feature in
      let column = column(feature)
      guard let first = column.first else { return false }
      return column.contains { first.isNaN ? !$0.isNaN : $0 != first }
    }
  }
}
