// What can go wrong in this module, with the values that explain it.

/// A failure in `Transformers`.
public enum TransformerError: Error, Equatable, Sendable {}
