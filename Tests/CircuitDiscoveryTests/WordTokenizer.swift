// A word-level tokenizer for tests: runs of letters and digits, and runs of punctuation, are the words.

import CircuitDiscovery

/// Gives every word of a vocabulary a number; anything else is unknown.
struct WordTokenizer: PromptTokenizer {
  let label = "a test vocabulary"
  let unknownToken: Int? = 0
  let vocabulary: [String: Int]

  init(words: [String]) {
    var vocabulary: [String: Int] = [:]
    for word in words where vocabulary[word] == nil { vocabulary[word] = vocabulary.count + 1 }
    self.vocabulary = vocabulary
  }

  /// The vocabulary of everything a task can say.
  init(task: TaskSpec) {
    self.init(words: task.vocabularyTexts.flatMap(Self.split))
  }

  func tokens(of text: String) -> [Int] {
    Self.split(text).map { vocabulary[$0] ?? 0 }
  }

  static func split(_ text: String) -> [String] {
    var words: [String] = []
    var last: Int?
    for character in text {
      let kind = character.isWhitespace ? nil : (character.isLetter || character.isNumber ? 1 : 2)
      if let kind {
        if kind == last, let word = words.popLast() {
          words.append(word + String(character))
        } else {
          words.append(String(character))
        }
      }
      last = kind
    }
    return words
  }
}
