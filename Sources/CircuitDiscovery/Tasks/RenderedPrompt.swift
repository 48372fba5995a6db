// A template filled with values, knowing where each slot's text lies, and which tokens it became.

/// A text and the places of its slots in it.
struct RenderedPrompt {
  /// Where a slot's value stands.
  struct Occurrence {
    var slot: String
    /// UTF-8 offsets into the text.
    var range: Range<Int>
  }

  private(set) var text = ""
  private(set) var occurrences: [Occurrence] = []

  /// Fills a template without ranges; a slot without a value stands for nothing.
  init(_ template: PromptTemplate, values: [String: String]) {
    for piece in template.pieces {
      switch piece {
      case .text(let literal): text += literal
      case .slot(let name):
        let start = text.utf8.count
        text += values[name] ?? ""
        occurrences.append(Occurrence(slot: name, range: start..<text.utf8.count))
      case .range: preconditionFailure("a range of numbers in a prompt template")
      }
    }
  }

  /// The part of the text before a UTF-8 offset, without blanks at its end.
  func prefix(_ end: Int, droppingBlanks: Bool) -> String {
    var prefix = String(text.utf8.prefix(end)) ?? text
    while droppingBlanks, prefix.last?.isWhitespace == true { prefix.removeLast() }
    return prefix
  }
}

/// The tokens of a rendered prompt.
struct TokenizedRendering {
  let prompt: RenderedPrompt
  let tokens: [Int]
  let tokenizer: any PromptTokenizer

  init(_ prompt: RenderedPrompt, tokenizer: any PromptTokenizer) {
    self.prompt = prompt
    self.tokenizer = tokenizer
    tokens = tokenizer.tokens(of: prompt.text)
  }

  /// How many tokens the text before a UTF-8 offset makes up, and whether a token ends exactly there.
  private func boundary(_ end: Int, droppingBlanks: Bool) -> (count: Int, isExact: Bool) {
    let before = tokenizer.tokens(of: prompt.prefix(end, droppingBlanks: droppingBlanks))
    let shared = zip(before, tokens).prefix { $0 == $1 }.count
    return (shared, shared == before.count)
  }

  /// Whether an occurrence, with the blank before it, is exactly one token of the vocabulary.
  func isOneToken(_ occurrence: RenderedPrompt.Occurrence) -> Bool {
    let start = boundary(occurrence.range.lowerBound, droppingBlanks: true)
    let end = boundary(occurrence.range.upperBound, droppingBlanks: false)
    guard start.isExact, end.isExact, end.count == start.count + 1 else { return false }
    return tokens[start.count] != tokenizer.unknownToken
  }

  /// The index of the token that holds the end of an occurrence.
  func lastToken(of occurrence: RenderedPrompt.Occurrence) -> Int {
    let end = boundary(occurrence.range.upperBound, droppingBlanks: false)
    return end.isExact ? max(0, end.count - 1) : min(end.count, tokens.count - 1)
  }
}
