// What can go wrong in this module, with the values that explain it.

/// A failure in `Tables`.
public enum TableError: Error, Equatable, Sendable {
  /// A model needs a column that the table does not have.
  case missingFeature(String, nearest: String?)
  /// A model needs numbers where the table has text, or the other way round.
  case wrongKind(feature: String, wantsNumbers: Bool)
}
