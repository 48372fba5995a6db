// What can go wrong in this module, with the values that explain it.

/// A failure in `SparseAutoencoders`.
public enum SparseAutoencoderError: Error, Equatable, Sendable {}
