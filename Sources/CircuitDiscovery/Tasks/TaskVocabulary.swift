// The vocabulary of a word-level model that is to do several tasks.

import Tokenizers

extension WordLevelDescription {
  /// The word-level vocabulary with which every prompt of the tasks can be tokenized: `[UNK]`, `[BOS]`, then every
  /// word and mark of the tasks in order of their code points.
  /// - Throws: `TokenizerProblem`, never for well-formed specs.
  public static func covering(_ tasks: [TaskSpec]) throws(TokenizerProblem) -> WordLevelDescription {
    let special = ["[UNK]", "[BOS]"]
    let splitter = try Tokenizer(WordLevelDescription(words: special, unknown: special[0]))
    var words: Set<String> = []
    for text in tasks.flatMap(\.vocabularyTexts) {
      let scalars = Array(text.unicodeScalars)
      for range in splitter.encode(text, addingSpecialTokens: false).offsets {
        var word = String.UnicodeScalarView()
        word.append(contentsOf: scalars[range])
        words.insert(String(word))
      }
    }
    words.subtract(special)
    return WordLevelDescription(
      words: special + words.sorted { $0.unicodeScalars.lexicographicallyPrecedes($1.unicodeScalars) },
      unknown: special[0], beginningOfText: special[1])
  }
}
