// One prompt as it stands in a JSON-lines file: text or token ids, and what a model should say next.

/// A prompt before it is turned into tokens.
public struct Prompt: Equatable, Sendable {
  /// What the model reads.
  public enum Content: Equatable, Sendable {
    case text(String)
    /// Token ids, for models without a tokenizer.
    case tokens([Int])
  }

  /// What may follow: a text, a token id, or several of them that belong together.
  public enum Continuation: Hashable, Sendable {
    case text(String)
    case token(Int)
    case tokens([Int])
  }

  /// What the model reads.
  public var content: Content
  /// Whether the behaviour is called for.
  public var isPositive: Bool
  /// The right continuations; several where several are right ("a later year").
  public var answers: [Continuation]
  /// What a model without the behaviour might say.
  public var wrong: [Continuation]
  /// A number that a positive prompt and its negative share.
  public var pair: Int?
  /// Token indices by name, not counting a beginning-of-sequence token; negative ones count from the end.
  public var positions: [String: Int]

  /// A prompt.
  public init(
    _ content: Content, isPositive: Bool, answers: [Continuation] = [], wrong: [Continuation] = [],
    pair: Int? = nil, positions: [String: Int] = [:]
  ) {
    self.content = content
    self.isPositive = isPositive
    self.answers = answers
    self.wrong = wrong
    self.pair = pair
    self.positions = positions
  }
}
