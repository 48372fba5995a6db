// Splitters cut text into the pieces that a model sees; the file format calls them pre-tokenizers.

import Files

/// A rule that cuts text into pieces.
indirect enum Splitter: Sendable {
  /// Byte-level: cut by a pattern, if any, then every byte as a character.
  case byteLevel(addsPrefixSpace: Bool, pattern: Pattern?)
  case split(TextFinder, SplitBehavior, isInverted: Bool)
  /// Runs of word characters and runs of other signs; blanks are dropped.
  case words
  /// What stands between blanks.
  case blanks
  case digits(SplitBehavior)
  case punctuation(SplitBehavior)
  case metaspace(Metaspace)
  case sequence([Splitter])

  /// GPT-2's pattern (Radford et al. 2019): contractions, words and numbers with a space before, signs, blanks.
  private static let gpt2 =
    #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#

  /// Reads the field `pre_tokenizer`.
  init(_ field: JSONField) throws(TokenizerProblem) {
    let type = try field.required("type")
    switch try type.string() {
    case "ByteLevel":
      try field.allowOnly(["type", "add_prefix_space", "trim_offsets", "use_regex"])
      let splits = try field.bool("use_regex", absent: true)
      self = .byteLevel(
        addsPrefixSpace: try field.bool("add_prefix_space", absent: true),
        pattern: splits ? try Pattern(Self.gpt2, field: field.path) : nil)
    case "Split":
      try field.allowOnly(["type", "pattern", "behavior", "invert"])
      self = .split(
        try TextFinder(field.required("pattern")),
        try field.required("behavior").word(as: SplitBehavior.self),
        isInverted: try field.bool("invert", absent: false))
    case "Whitespace":
      try field.allowOnly(["type"])
      self = .words
    case "WhitespaceSplit":
      try field.allowOnly(["type"])
      self = .blanks
    case "BertPreTokenizer":
      try field.allowOnly(["type"])
      self = .sequence([.blanks, .punctuation(.isolated)])
    case "Digits":
      try field.allowOnly(["type", "individual_digits"])
      self = .digits(try field.bool("individual_digits", absent: false) ? .isolated : .contiguous)
    case "Punctuation":
      try field.allowOnly(["type", "behavior"])
      self = .punctuation(try field.member("behavior")?.word(as: SplitBehavior.self) ?? .isolated)
    case "Metaspace":
      self = .metaspace(try Metaspace(field))
    case "Sequence":
      try field.allowOnly(["type", "pretokenizers"])
      var parts: [Splitter] = []
      for part in try field.required("pretokenizers").elements() { parts.append(try Splitter(part)) }
      self = .sequence(parts)
    case let other: throw .unsupported(field: type.path, value: other)
    }
  }

  /// The pieces of a stretch of text, none empty.
  func pieces(of text: AlignedText) -> [AlignedText] {
    guard !text.isEmpty else { return [] }
    switch self {
    case .byteLevel(let addsPrefixSpace, let pattern):
      var text = text
      if addsPrefixSpace, text.first?.value != 32 { text.prepend([32]) }
      guard let pattern else { return [ByteLevelAlphabet.spell(text)] }
      return SplitBehavior.isolated.pieces(of: text, matches: pattern.matches(in: text))
        .map(ByteLevelAlphabet.spell)
    case .split(let finder, let behavior, let isInverted):
      return behavior.pieces(of: text, matches: finder.matches(in: text), isInverted: isInverted)
    case .words:
      return Self.words(in: text)
    case .blanks:
      return text.split { CharacterClass.isBlank($0.value) }
    case .digits(let behavior):
      return behavior.pieces(of: text, matches: single(in: text, where: CharacterClass.isNumeric))
    case .punctuation(let behavior):
      return behavior.pieces(of: text, matches: single(in: text, where: CharacterClass.isPunctuation))
    case .metaspace(let metaspace):
      return metaspace.pieces(of: text)
    case .sequence(let parts):
      return parts.reduce([text]) { pieces, part in pieces.flatMap { part.pieces(of: $0) } }
    }
  }

  /// `\w+|[^\w\s]+`.
  private static func words(in text: AlignedText) -> [AlignedText] {
    var pieces: [AlignedText] = []
    for chunk in text.split(whereSeparator: { CharacterClass.isBlank($0.value) }) {
      var start = chunk.startIndex
      while start < chunk.endIndex {
        let isWord = CharacterClass.isWord(chunk[start].value)
        let end = chunk[start...].firstIndex { CharacterClass.isWord($0.value) != isWord } ?? chunk.endIndex
        pieces.append(chunk[start..<end])
        start = end
      }
    }
    return pieces
  }

  private func single(in text: AlignedText, where isFound: (UInt32) -> Bool) -> [Range<Int>] {
    text.indices.filter { isFound(text[$0].value) }.map { $0..<$0 + 1 }
  }
}
