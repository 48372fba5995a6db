// What can go wrong in this module, with the values that explain it.

/// A failure in `Tokenizers`.
public enum TokenizerError: Error, Equatable, Sendable {}
