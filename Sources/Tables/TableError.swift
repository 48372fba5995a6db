// What can go wrong in this module, with the values that explain it.

/// A failure in `Tables`.
public enum TableError: Error, Equatable, Sendable {}
