// What can go wrong in this module, with the values that explain it.

/// A failure in `TabularExplainer`.
public enum TabularExplainerError: Error, Equatable, Sendable {
  /// A model cannot be fitted: there is no row, no feature, or no finite target.
  case nothingToLearn(rows: Int, features: Int)
  /// A table of given predictions was asked about a row that it does not hold.
  case unknownRow(row: Int)
  /// Every row is of one class: there is nothing to tell apart.
  case oneClass(target: String, name: String)
  /// So few rows are of other classes that none is left to fit to, or that a fold of them has none.
  case rareClasses(target: String, name: String, others: Int)
  /// The table has fewer rows than can be split into training and held-out rows.
  case tooFewRows(count: Int, needed: Int)
  /// Every row of the target holds the same number.
  case constantTarget(target: String, value: Float)
  /// A given black box has another number of outputs than the target has classes.
  case wrongOutputs(model: String, outputs: Int, target: Int)
  /// A black box answered a row (counted from 0) with something that is no prediction.
  case notPredictions(model: String, row: Int, problem: String)
  /// No feature says anything: all are constant or missing.
  case nothingVaries(features: Int)
  /// A probe does not fit a black box: gradients of trees, or questions to predictions that are there already.
  case cannotProbe(method: String, model: String)
}
