// The tree black boxes that can be fitted here, by the names used on the command line and in files.

import Tables
import Tensors
import Trees

/// A kind of tree black box and its settings.
public enum TreeModel: Sendable, Equatable {
  /// A random forest or extra trees.
  case forest(ForestOptions)
  /// Gradient-boosted trees.
  case boosted(BoostingOptions)

  /// A fitted model and, where its trees saw different rows, its predictions for rows by trees that had not seen them.
  public struct Fitted: Sendable {
    /// The model.
    public let ensemble: TreeEnsemble
    /// Shape `[rows, outputs]`, or nil.
    public let outOfBag: Tensor?
  }

  /// Fits the model to the given rows of a table (all rows where nil).
  /// - Throws: `TreeError.oneClass` or `.noRows`.
  public func fit(_ table: Table, rows: [Int]? = nil) throws(TreeError) -> Fitted {
    let features = rows.map { table.features.selecting(rows: $0) } ?? table.features
    let target = rows.map { table.target.selecting(rows: $0) } ?? table.target
    switch self {
    case .forest(let options):
      let grown = try TreeEnsemble.forest(
        features, target: target, targetName: table.targetName, options: options)
      return Fitted(ensemble: grown.ensemble, outOfBag: grown.outOfBag)
    case .boosted(let options):
      let ensemble = try TreeEnsemble.boosted(
        features, target: target, targetName: table.targetName, options: options)
      return Fitted(ensemble: ensemble, outOfBag: nil)
    }
  }

  /// Predictions for every row by models that have not seen it, shape `[rows, outputs]`:
  /// `folds` models, each fitted to the other folds.
  /// - Throws: `TreeError` or `TableError`.
  public func heldOutPredictions(_ table: Table, folds: Int = 5, seed: UInt64) throws -> Tensor {
    try crossPredictions(table, folds: try table.folds(folds, seed: seed)) { training in
      TreeBlackBox(try fit(table, rows: training).ensemble)
    }
  }
}

/// Predictions for every held row of the splits, each by a model fitted to the split's other rows.
///
/// - Parameter fit: makes a black box from the numbers of training rows.
/// - Returns: shape `[rows, outputs]`; rows that no split holds are 0.
public func crossPredictions(
  _ table: Table, folds: [Split], fit: ([Int]) throws -> any BlackBox
) throws -> Tensor {
  var result: Tensor?
  for fold in folds {
    let predictions = try fit(fold.training).predict(table.features.selecting(rows: fold.held))
    let width = predictions.shape[1]
    var whole = result ?? Tensor(zeros: [table.rowCount, width])
    predictions.withValues { values in
      whole.withMutableValues { target in
        for (place, row) in fold.held.enumerated() {
          for output in 0..<width { target[row * width + output] = values[place * width + output] }
        }
      }
    }
    result = whole
  }
  return result ?? Tensor(zeros: [table.rowCount, 0])
}
