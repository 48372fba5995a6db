// Black boxes that were not fitted here: model files, programs, and predictions that the table holds already.

import Files
import Tables
import Tensors
import Trees

extension ProbedBlackBox {
  /// A black box that exists already, probed on the training rows of a table.
  ///
  /// - Parameter ensemble: its trees, where it is made of trees.
  /// - Throws: what the black box throws, and `TabularExplainerError` where its outputs are not the target's classes.
  public init(
    given blackBox: any BlackBox, name: String, ensemble: TreeEnsemble? = nil, _ table: Table,
    training: [Int],
    seed: UInt64
  ) throws {
    let ordered = try blackBox.inOrder(of: table.target, name: name)
    let part = table.features.selecting(rows: training)
    let outputs = try ordered.blackBox.predict(part)
    var areClasses = false
    if case .classes = table.target { areClasses = true }
    try requirePredictions(outputs, of: name, areClasses: areClasses)
    try self.init(
      name: name, blackBox: ordered.blackBox, trainingOutputs: outputs,
      outputSource: .given, ensemble: ordered.isMoved ? nil : ensemble, features: part, seed: seed)
  }

  /// A model that was read from a file, see `ImportedModel`.
  /// - Throws: as above.
  public init(model: ImportedModel, name: String, _ table: Table, training: [Int], seed: UInt64) throws {
    try self.init(
      given: model.blackBox, name: name, ensemble: model.trees, table, training: training, seed: seed)
  }
}

/// A black box with its outputs in another order.
private struct ReorderedBlackBox: BlackBox {
  var inner: any BlackBox
  var outputNames: [String]
  /// For every output its place among the inner ones.
  var places: [Int]

  func predict(_ features: Features) throws -> Tensor {
    let outputs = try inner.predict(features)
    let width = outputs.shape[1]
    let values = outputs.values
    return Tensor(
      (0..<features.rowCount).flatMap { row in places.map { values[row * width + $0] } },
      shape: [features.rowCount, places.count])
  }
}

extension BlackBox {
  /// The same black box with its outputs in the order of a target's classes.
  ///
  /// Where the names are not the target's, the order is taken to be: many models only count their classes.
  fileprivate func inOrder(of target: Target, name: String) throws -> (blackBox: any BlackBox, isMoved: Bool)
  {
    guard case .classes(_, let names) = target else {
      guard outputNames.count == 1 else {
        throw TabularExplainerError.wrongOutputs(model: name, outputs: outputNames.count, target: 1)
      }
      return (self, false)
    }
    guard outputNames.count == names.count else {
      throw TabularExplainerError.wrongOutputs(model: name, outputs: outputNames.count, target: names.count)
    }
    if outputNames == names { return (self, false) }
    let places = names.compactMap { outputNames.firstIndex(of: $0) }
    let isPermutation = Set(places).count == names.count
    let order = isPermutation ? places : Array(names.indices)
    return (ReorderedBlackBox(inner: self, outputNames: names, places: order), order != Array(names.indices))
  }
}
