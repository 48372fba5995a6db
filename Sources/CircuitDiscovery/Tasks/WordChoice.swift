// The words of a spec's lists that can be used with a tokenizer, and how many tokens each is.

/// The words that remain of each list under a tokenizer.
struct WordChoice {
  private(set) var words: [String: [String]] = [:]
  /// The words left out, by list in the order of the spec.
  private(set) var dropped: [(list: String, words: [String])] = []
  private let tokenizer: any PromptTokenizer
  private var lengths: [String: Int] = [:]

  init(_ source: TemplateSource, task: String, tokenizer: any PromptTokenizer) throws(TaskError) {
    self.tokenizer = tokenizer
    for list in source.lists {
      let users = source.slots.filter { $0.kind == .word(list: list.name) }
      let needed = max(1, users.count)
      guard users.contains(where: { source.oneToken.contains($0.name) }) else {
        words[list.name] = list.words
        continue
      }
      let partners = source.slots.compactMap { slot -> (slot: String, list: String)? in
        guard source.oneToken.contains(slot.name), case .lookUp(let original, let other) = slot.kind,
          users.contains(where: { $0.name == original })
        else { return nil }
        return (original, other)
      }
      let kept = list.words.filter { word in
        tokenizer.isOneToken(" " + word)
          && partners.allSatisfy { partner in
            source.word(beside: word, of: partner.slot, in: partner.list)
              .map { tokenizer.isOneToken(" " + $0) } ?? false
          }
      }
      let lost = list.words.filter { !kept.contains($0) }
      if source.refusesLongerWords, let word = lost.first {
        _ = try tokenizer.token(of: " " + word, place: "list \"\(list.name)\" of \(task)")
      }
      guard kept.count >= needed else {
        throw .tooFewWords(
          task: task, list: list.name, kept: kept.count, needed: needed, dropped: lost,
          tokenizer: tokenizer.label)
      }
      words[list.name] = kept
      if !lost.isEmpty { dropped.append((list.name, lost)) }
    }
  }

  /// The number of tokens of a word after a blank.
  mutating func length(of word: String) -> Int {
    if let known = lengths[word] { return known }
    let length = tokenizer.tokens(of: " " + word).count
    lengths[word] = length
    return length
  }
}
