// What can go wrong in this module, with the values that explain it.

/// A failure in `Reports`.
public enum ReportError: Error, Equatable, Sendable {}
