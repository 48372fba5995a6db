// Regular expressions for other libraries: the matcher of tokenizers, which never takes exponential time.

/// A regular expression in the syntax of tokenizers' patterns (a subset of Oniguruma's).
public struct TextPattern: Sendable {
  private let pattern: Pattern

  /// Reads an expression.
  /// - Throws: `TokenizerProblem.pattern` for what is outside the subset, with its place.
  public init(_ text: String) throws(TokenizerProblem) {
    pattern = try Pattern(text, field: "pattern")
  }

  /// The non-empty matches from left to right, none overlapping, in Unicode scalars.
  public func matches(in text: String) -> [Range<Int>] {
    pattern.matches(in: AlignedText(text))
  }
}
