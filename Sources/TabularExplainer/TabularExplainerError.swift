// What can go wrong in this module, with the values that explain it.

/// A failure in `TabularExplainer`.
public enum TabularExplainerError: Error, Equatable, Sendable {
  /// A model cannot be fitted: there is no row, no feature, or no finite target.
  case nothingToLearn(rows: Int, features: Int)
  /// A table of given predictions was asked about a row that it does not hold.
  case unknownRow(row: Int)
}
