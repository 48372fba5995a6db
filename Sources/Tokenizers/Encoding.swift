// A text in tokens.

/// The tokens of a text: three arrays of equal length.
public struct Encoding: Equatable, Sendable {
  /// The number of each token.
  public internal(set) var ids: [Int] = []
  /// Each token as the vocabulary spells it.
  public internal(set) var tokens: [String] = []
  /// The range of the text that each token covers, counted in Unicode scalars (as Python counts characters); `0..<0`
  /// for a token that the text does not contain. Tokens that share the bytes of one scalar have the same range.
  public internal(set) var offsets: [Range<Int>] = []

  /// The number of tokens.
  public var count: Int { ids.count }

  mutating func append(id: Int, token: String, range: Range<Int>) {
    ids.append(id)
    tokens.append(token)
    offsets.append(range)
  }
}
