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
  /// The number of folds behind cross-fitted outputs.
  private static let crossFits = 4

  /// Fits a black box to the training rows of a table and ranks the features by what they mean to it.
  /// - Throws: `TreeError`, `TableError`, or `TabularExplainerError` where there is nothing to learn.
  public func probed(_ table: Table, training: [Int], seed: UInt64) throws -> ProbedBlackBox {
    let part = table.features.selecting(rows: training)
    let target = table.target.selecting(rows: training)
    if case .values(let values) = target, let first = values.first, values.allSatisfy({ $0 == first }) {
      throw TabularExplainerError.constantTarget(target: table.targetName, value: first)
    }
    guard part.hasVaryingFeature else { throw TabularExplainerError.nothingVaries(features: part.count) }
    let fitted = try fit(part, target, targetName: table.targetName, seed: seed)
    let outputs: Tensor
    let source: ProbedBlackBox.OutputSource
    if let outOfBag = fitted.outOfBag {
      (outputs, source) = (filledWithMeans(outOfBag), .outOfBag)
    } else {
      (outputs, source) = (try crossFitted(table, training: training, seed: seed), .crossFitted)
    }
    return try ProbedBlackBox(
      name: rawValue, blackBox: fitted.blackBox, trainingOutputs: outputs, outputSource: source,
      ensemble: fitted.ensemble, features: part, seed: seed)
  }

  private struct Fitted {
    var blackBox: any BlackBox
    var ensemble: TreeEnsemble?
    var outOfBag: Tensor?
  }

  private func fit(
    _ features: Features, _ target: Target, targetName: String, seed: UInt64
  ) throws -> Fitted {
    switch self {
    case .forest, .extraTrees:
      var options: ForestOptions = self == .forest ? .randomForest : .extraTrees
      options.treeCount = 200
      options.seed = seed
      let grown = try TreeEnsemble.forest(features, target: target, targetName: targetName, options: options)
      return Fitted(
        blackBox: TreeBlackBox(grown.ensemble), ensemble: grown.ensemble, outOfBag: grown.outOfBag)
    case .boosted:
      let ensemble = try TreeEnsemble.boosted(features, target: target, targetName: targetName)
      return Fitted(blackBox: TreeBlackBox(ensemble), ensemble: ensemble)
    case .perceptron, .convolutionalAttention:
      preconditionFailure("networks are not fitted here yet")
    }
  }

  /// Outputs for every training row by a model fitted to the other folds; copies of a row share a fold.
  private func crossFitted(_ table: Table, training: [Int], seed: UInt64) throws -> Tensor {
    let part = table.selecting(rows: training)
    let folds = try part.folds(min(Self.crossFits, part.distinctRowCount), seed: seed)
    let width = part.target.outputCount
    var outputs = [Float](repeating: .nan, count: training.count * width)
    for fold in folds {
      let target = part.target.selecting(rows: fold.training)
      // A fold whose training rows are all of one class cannot be fitted to; its rows keep the mean.
      if case .classes(let labels, _) = target, Set(labels).count < 2 { continue }
      let model = try fit(
        part.features.selecting(rows: fold.training), target, targetName: part.targetName, seed: seed)
      let predicted = try model.blackBox.predict(part.features.selecting(rows: fold.held)).values
      for (place, row) in fold.held.enumerated() {
        for output in 0..<width { outputs[row * width + output] = predicted[place * width + output] }
      }
    }
    return filledWithMeans(Tensor(outputs, shape: [training.count, width]))
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

extension Target {
  /// How many outputs a black box for this target has.
  var outputCount: Int {
    switch self {
    case .classes(_, let names): names.count
    case .values: 1
    }
  }
}

extension Features {
  /// Whether some feature has two different cells.
  var hasVaryingFeature: Bool {
    (0..<count).contains { feature in
      let column = column(feature)
      guard let first = column.first else { return false }
      return column.contains { first.isNaN ? !$0.isNaN : $0 != first }
    }
  }
}
