// The words of some tasks as a word-level vocabulary.

import Files
import Tokenizers

extension WordLevelDescription {
  /// The vocabulary with which every prompt of these tasks can be tokenized: `<unk>`, `<bos>`, then the tasks' words
  /// in the order they appear.
  /// - Throws: `TokenizerProblem` where a word cannot be one.
  public init(wordsOf tasks: [TaskSpec]) throws {
    let special = ["<unk>", "<bos>"]
    let cutter = try Tokenizer(WordLevelDescription(words: special, unknown: special[0]))
    var words = special
    var seen = Set(special)
    for text in tasks.flatMap(\.vocabularyTexts) {
      let scalars = Array(text.unicodeScalars)
      for range in cutter.encode(text, addingSpecialTokens: false).offsets {
        var word = ""
        word.unicodeScalars.append(contentsOf: scalars[range])
        if seen.insert(word).inserted { words.append(word) }
      }
    }
    self.init(words: words, unknown: special[0], beginningOfText: special[1])
  }
}
