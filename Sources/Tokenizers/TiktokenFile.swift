// Tokens with their ranks, as tiktoken stores them: a line a token, in base 64, and its rank. The file says neither how text
// is split nor which special tokens there are; both go with its name.
//
// Source: OpenAI's tiktoken and its public encodings; Llama 3's and Qwen's own files of this kind.

import Files

/// An encoding that is known by the name of its file.
struct TiktokenEncoding: Sendable {
  let pattern: String
  let specialTokens: [(content: String, id: Int)]

  private static let gpt2 = #"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+"#
  private static let contraction = "(?i:'s|'t|'re|'ve|'m|'ll|'d)"
  private static let rest = #"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
  private static let upper = #"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]"#
  private static let lower = #"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"#

  /// The encoding of a file's name, without its folder; nil for a name that is none.
  init?(fileName: String) {
    let words = Self.contraction + #"|[^\r\n\p{L}\p{N}]?\p{L}+|"#
    switch fileName {
    case "r50k_base.tiktoken", "p50k_base.tiktoken", "gpt2.tiktoken":
      (pattern, specialTokens) = (Self.gpt2, [("<|endoftext|>", 50256)])
    case "cl100k_base.tiktoken":
      pattern = words + #"\p{N}{1,3}"# + Self.rest
      specialTokens = [
        ("<|endoftext|>", 100257), ("<|fim_prefix|>", 100258), ("<|fim_middle|>", 100259),
        ("<|fim_suffix|>", 100260), ("<|endofprompt|>", 100276),
      ]
    case "o200k_base.tiktoken":
      let lead = #"[^\r\n\p{L}\p{N}]?"#
      pattern =
        "\(lead)\(Self.upper)*\(Self.lower)+\(Self.contraction)?|\(lead)\(Self.upper)+\(Self.lower)*\(Self.contraction)?"
        + #"|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"#
      specialTokens = [("<|endoftext|>", 199999), ("<|endofprompt|>", 200018)]
    case "qwen.tiktoken":
      pattern = words + #"\p{N}"# + Self.rest
      specialTokens = [("<|endoftext|>", 151643), ("<|im_start|>", 151644), ("<|im_end|>", 151645)]
    case "tokenizer.model":
      // Llama 3's own files have this name; SentencePiece's, which are not text, have it too.
      pattern = words + #"\p{N}{1,3}"# + Self.rest
      specialTokens = [
        ("<|begin_of_text|>", 128000), ("<|end_of_text|>", 128001), ("<|start_header_id|>", 128006),
        ("<|end_header_id|>", 128007), ("<|eot_id|>", 128009),
      ]
    default: return nil
    }
  }

  /// Names of files that are known, for messages.
  static let knownNames = [
    "r50k_base", "p50k_base", "cl100k_base", "o200k_base", "qwen",
  ].map { $0 + ".tiktoken" }
}

extension BytePairModel {
  /// A model of tokens given as bytes with their ranks: two neighbours become one wherever their bytes together are a
  /// token, the smallest rank first.
  ///
  /// - Parameter text: the text of a file.
  /// - Throws: `TokenizerProblem.wrongValue`, which names the line.
  init(tiktoken text: String) throws(TokenizerProblem) {
    var tokens: [(bytes: [UInt8], rank: Int)] = []
    for (index, line) in text.split(separator: "\n", omittingEmptySubsequences: false).enumerated() {
      guard !line.allSatisfy(\.isWhitespace) else { continue }
      let parts = line.split(whereSeparator: \.isWhitespace)
      guard parts.count == 2, let bytes = decodeBase64(String(parts[0])), !bytes.isEmpty,
        let rank = Int(parts[1]), (0...Vocabulary.largestID).contains(rank)
      else { throw .wrongValue(field: "line \(index + 1)", expected: "a token in base 64 and its rank") }
      tokens.append((bytes, rank))
    }
    var vocabulary = Vocabulary(capacity: tokens.count)
    func spelled(_ bytes: some Sequence<UInt8>) -> [UInt8] {
      var result: [UInt8] = []
      for byte in bytes { appendUTF8(ByteLevelAlphabet.characters[Int(byte)], to: &result) }
      return result
    }
    for token in tokens { vocabulary.insert(spelled(token.bytes), id: token.rank) }
    var pairs: [(left: Int32, right: Int32, merge: MergeTable.Merge)] = []
    for token in tokens {
      for place in token.bytes.indices.dropFirst() {
        guard let left = vocabulary.id(of: spelled(token.bytes[..<place])),
          let right = vocabulary.id(of: spelled(token.bytes[place...]))
        else { continue }
        pairs.append(
          (Int32(left), Int32(right), MergeTable.Merge(rank: Int32(token.rank), result: Int32(token.rank))))
      }
    }
    var merges = MergeTable(capacity: pairs.count)
    for pair in pairs { merges[pair.left, pair.right] = pair.merge }
    self.init(vocabulary: vocabulary, merges: merges)
  }
}

extension Tokenizer {
  /// Reads tiktoken's kind of file.
  /// - Parameter path: the file; its name says which encoding it is.
  /// - Throws: `TokenizerError` where it cannot be read, is damaged, or its name is not known.
  public init(tiktoken path: String) throws(TokenizerError) {
    let name = String(path.split(separator: "/").last ?? "")
    guard let encoding = TiktokenEncoding(fileName: name) else {
      throw .invalid(
        path: path,
        problem: .unsupported(
          field: "the file's name",
          value: "\(name) (known are \(TiktokenEncoding.knownNames.joined(separator: ", ")))"))
    }
    let text: String
    do throws(FileError) {
      text = try readText(at: path)
    } catch {
      throw .file(error)
    }
    do throws(TokenizerProblem) {
      let splitter = Splitter.sequence([
        .split(.pattern(try Pattern(encoding.pattern, field: name)), .isolated, isInverted: false),
        .byteLevel(addsPrefixSpace: false, pattern: nil),
      ])
      try self.init(
        model: .bytePair(try BytePairModel(tiktoken: text)), splitter: splitter, decoder: .byteLevel,
        added: encoding.specialTokens.map { AddedToken(special: $0.content, id: $0.id) })
    } catch {
      throw .invalid(path: path, problem: error)
    }
  }
}
