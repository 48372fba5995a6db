// What can go wrong in this module, with the values that explain it.

/// A failure in `Recordings`.
public enum RecordingError: Error, Equatable, Sendable {}
