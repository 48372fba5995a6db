// Errors become one line of text here, and nowhere else.

/// An error that can tell a user what is wrong, where, and what to do.
protocol ExplainedError: Error {
  /// One line, without a full stop.
  var sentence: String { get }
  /// 2 for misuse, 1 for failure.
  var exitCode: Int32 { get }
}

extension ExplainedError {
  var exitCode: Int32 { 1 }
}
