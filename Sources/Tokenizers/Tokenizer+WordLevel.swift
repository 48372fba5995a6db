// Making a word-level tokenizer from a list of words, as a file that other programs can read too.

import Files

/// What a word-level tokenizer consists of.
public struct WordLevelDescription: Equatable, Sendable {
  /// The words by id; special tokens are among them.
  public var words: [String]
  /// The word that stands for all others.
  public var unknown: String
  /// The word that begins every text, if any.
  public var beginningOfText: String?
  /// Further words that are left out of decoded text on demand.
  public var specialWords: [String]

  /// Describes a tokenizer whose ids are the places in `words`.
  /// - Precondition: `words` are distinct and hold `unknown`, `beginningOfText` and `specialWords`.
  public init(
    words: [String], unknown: String, beginningOfText: String? = nil, specialWords: [String] = []
  ) {
    precondition(Set(words).count == words.count, "a word occurs twice in the vocabulary")
    let special = [unknown] + (beginningOfText.map { [$0] } ?? []) + specialWords
    precondition(special.allSatisfy(words.contains), "a special word is not in the vocabulary")
    self.words = words
    self.unknown = unknown
    self.beginningOfText = beginningOfText
    self.specialWords = specialWords
  }

  /// The text of a `tokenizer.json`: runs of word characters and runs of other signs are words, blanks are dropped.
  public var json: JSONValue {
    var special: [String] = []
    for word in [unknown] + (beginningOfText.map { [$0] } ?? []) + specialWords where !special.contains(word)
    {
      special.append(word)
    }
    let ids = Dictionary(uniqueKeysWithValues: words.enumerated().map { ($1, $0) })
    let added = special.map { word in
      JSONValue.object([
        .init("id", .integer(ids[word] ?? 0)), .init("content", .string(word)),
        .init("single_word", .boolean(false)), .init("lstrip", .boolean(false)),
        .init("rstrip", .boolean(false)), .init("normalized", .boolean(false)),
        .init("special", .boolean(true)),
      ])
    }
    return .object([
      .init("version", .string("1.0")), .init("truncation", .null), .init("padding", .null),
      .init("added_tokens", .array(added)), .init("normalizer", .null),
      .init("pre_tokenizer", .object([.init("type", .string("Whitespace"))])),
      .init("post_processor", .null), .init("decoder", .null),
      .init(
        "model",
        .object([
          .init("type", .string("WordLevel")),
          .init("vocab", .object(words.enumerated().map { JSONMember($1, .integer($0)) })),
          .init("unk_token", .string(unknown)),
        ])),
    ])
  }

  /// Writes the `tokenizer.json` and, beside it, a `tokenizer_config.json` that names the special words.
  /// - Parameter folder: an existing folder.
  public func write(toFolder folder: String) throws(FileError) {
    try writeFile(json.text(), to: folder + "/tokenizer.json")
    let beginning = beginningOfText.map { JSONValue.string($0) } ?? .null
    let configuration = JSONValue.object([
      .init("tokenizer_class", .string("PreTrainedTokenizerFast")), .init("bos_token", beginning),
      .init("unk_token", .string(unknown)),
    ])
    try writeFile(configuration.text(), to: folder + "/tokenizer_config.json")
  }
}

extension Tokenizer {
  /// A word-level tokenizer made in memory; its `tokenizer.json` is `description.json`.
  public init(_ description: WordLevelDescription) throws(TokenizerProblem) {
    try self.init(json: description.json.line)
    beginningOfText = description.beginningOfText.flatMap(id(of:))
  }

  /// A word-level tokenizer of a list of words, whose ids are their places.
  /// - Precondition: the words are distinct and hold `unknown` and `beginningOfText`.
  public static func wordLevel(
    vocabulary: [String], unknown: String, beginningOfText: String? = nil
  ) throws(TokenizerProblem) -> Tokenizer {
    try Tokenizer(
      WordLevelDescription(words: vocabulary, unknown: unknown, beginningOfText: beginningOfText))
  }
}
