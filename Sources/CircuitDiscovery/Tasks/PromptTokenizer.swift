// What tasks need of a tokenizer: text in, token ids out.

/// A tokenizer, as far as prompts need one.
public protocol PromptTokenizer: Sendable {
  /// A few words that tell a user which tokenizer this is.
  var label: String { get }
  /// The token that stands for what the vocabulary lacks; nil where there is none.
  var unknownToken: Int? { get }
  /// The token ids of a text, without special tokens at its ends.
  func tokens(of text: String) -> [Int]
}

extension PromptTokenizer {
  /// The one token a text is made of.
  /// - Throws: `TaskError.notOneToken`, also where the one token means "unknown".
  public func token(of text: String, place: @autoclosure () -> String) throws(TaskError) -> Int {
    let tokens = tokens(of: text)
    guard tokens.count == 1, tokens[0] != unknownToken else {
      let count = tokens.contains { $0 == unknownToken } ? 0 : tokens.count
      throw .notOneToken(text: text, tokens: count, tokenizer: label, place: place())
    }
    return tokens[0]
  }

  /// Whether `text` is exactly one token, and not the unknown one.
  public func isOneToken(_ text: String) -> Bool {
    let tokens = tokens(of: text)
    return tokens.count == 1 && tokens[0] != unknownToken
  }
}
