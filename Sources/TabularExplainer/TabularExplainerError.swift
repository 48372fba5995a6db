// What can go wrong in this module, with the values that explain it.

/// A failure in `TabularExplainer`.
public enum TabularExplainerError: Error, Equatable, Sendable {}
