// What can go wrong in this module, with the values that explain it.

/// A failure in `Trees`.
public enum TreeError: Error, Equatable, Sendable {
  /// A tree's nodes do not form a binary tree below node 0, or point outside their arrays.
  case malformedTree(tree: Int, node: Int, problem: String)
  /// The ensemble's parts do not fit together (outputs, base scores, leaf widths).
  case malformedEnsemble(problem: String)
  /// A file is not an ensemble's.
  case notAModel(path: String)
  /// A file's bytes are not those that were written.
  case changedSinceWritten
  /// A file's format is of another version.
  case unknownVersion(Int)
  /// There is nothing to learn: every row is of one class.
  case oneClass(String)
  /// There is no row to learn from.
  case noRows
  /// A file is not a quantised table, or not a sound one.
  case notAQuantisedTable(path: String, problem: String)
  /// Several processes cannot share this table: it has too few rows, or too many features for its trees' depth.
  case tooWideForParts
}
