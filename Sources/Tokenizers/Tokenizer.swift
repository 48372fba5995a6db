// The tokenizer of a model: a tokenizer.json read once, then text to token ids and back.

import Files

/// A tokenizer read from a `tokenizer.json`.
///
/// A text passes five stages: added tokens are cut out, the rest is normalised, split into pieces, each piece becomes
/// tokens by the model, and a post-processor adds special tokens. What the file asks for is done exactly or refused by
/// name; only `truncation` and `padding`, which are the caller's business, are not looked at.
public struct Tokenizer: Sendable {
  private let addedTokens: AddedTokens
  private let normalizer: Normalizer?
  private let splitter: Splitter?
  private let model: TokenizerModel
  private let postProcessor: PostProcessor?
  private let decoder: Decoder?

  /// The token that begins a text, where the vocabulary has one.
  ///
  /// It is the one that the model folder's `tokenizer_config.json` names, else the one that the file itself puts first,
  /// else the special token that has one of the usual names.
  public internal(set) var beginningOfText: Int?

  /// Reads a `tokenizer.json`, and the `tokenizer_config.json` beside it if there is one.
  /// - Parameter path: the file, or the model folder that holds it.
  /// - Throws: `TokenizerError` where a file cannot be read, is damaged, or asks for something that is not implemented.
  public init(contentsOf path: String) throws(TokenizerError) {
    let file: String
    do throws(FileError) {
      file = Self.file(at: path.hasSuffix(".tiktoken") ? path : try modelPath(path))
    } catch {
      throw .file(error)
    }
    if file.hasSuffix(".tiktoken") || file.hasSuffix("tokenizer.model") {
      self = try Tokenizer(tiktoken: file)
      return
    }
    let bytes: [UInt8]
    do throws(FileError) {
      bytes = try readBytes(ofFileAt: file)
    } catch {
      throw .file(error)
    }
    do throws(TokenizerProblem) {
      try self.init(JSONField(root: JSONDocument(tokenizerFile: bytes)))
    } catch {
      throw .invalid(path: file, problem: error)
    }
    try readConfiguration(besides: file)
  }

  /// Reads the text of a `tokenizer.json`.
  /// - Throws: `TokenizerProblem` where it asks for something that is not implemented, or is damaged.
  public init(json: String) throws(TokenizerProblem) {
    try self.init(JSONField(root: JSONDocument(tokenizerFile: Array(json.utf8))))
  }

  private init(_ root: JSONField) throws(TokenizerProblem) {
    try root.allowOnly([
      "version", "truncation", "padding", "added_tokens", "normalizer", "pre_tokenizer", "post_processor",
      "decoder", "model",
    ])
    let model = try TokenizerModel(root.required("model"))
    var added: [AddedToken] = []
    for field in try root.member("added_tokens")?.elements() ?? [] {
      let token = try AddedToken(field)
      if let id = model.vocabulary.id(of: token.content), id != token.id {
        throw .conflict(field: field.path, token: token.content)
      }
      added.append(token)
    }
    let normalizer = try root.member("normalizer").map(Normalizer.init)
    self.normalizer = normalizer
    addedTokens = AddedTokens(added, normalizer: normalizer)
    splitter = try root.member("pre_tokenizer").map(Splitter.init)
    postProcessor = try root.member("post_processor").map(PostProcessor.init)
    decoder = try root.member("decoder").map(Decoder.init)
    self.model = model
    beginningOfText =
      postProcessor?.surroundings.before.first
      ?? Self.usualBeginnings.lazy.compactMap { name in
        added.first { $0.isSpecial && $0.content == name }?.id
      }.first
  }

  /// A tokenizer of given parts, without normaliser and post-processor.
  init(
    model: TokenizerModel, splitter: Splitter, decoder: Decoder, added: [AddedToken]
  ) throws(TokenizerProblem) {
    for token in added {
      if let id = model.vocabulary.id(of: token.content), id != token.id {
        throw .conflict(field: "special tokens", token: token.content)
      }
    }
    normalizer = nil
    addedTokens = AddedTokens(added, normalizer: nil)
    self.splitter = splitter
    postProcessor = nil
    self.decoder = decoder
    self.model = model
    beginningOfText =
      Self.usualBeginnings.lazy.compactMap { name in added.first { $0.content == name }?.id }.first
  }

  private static let usualBeginnings = ["<bos>", "<s>", "<|begin_of_text|>", "[BOS]", "<|endoftext|>"]

  /// The largest token id + 1.
  public var vocabularySize: Int { max(model.vocabulary.size, addedTokens.size) }

  /// The tokens that the file itself puts behind a text.
  public var endOfText: [Int] { postProcessor?.surroundings.after ?? [] }

  /// The token that stands for a hidden one, where there is one of the usual names.
  public var maskToken: Int? {
    ["[MASK]", "<mask>"].lazy.compactMap { addedTokens.id(of: $0) ?? model.vocabulary.id(of: $0) }.first
  }

  /// The token that stands for what the vocabulary lacks; nil where there is none.
  public var unknownToken: Int? { model.unknown }

  /// The id of a token, spelled as the vocabulary spells it; nil where there is no such token.
  public func id(of token: String) -> Int? {
    addedTokens.id(of: token) ?? model.vocabulary.id(of: token)
  }

  /// The token of an id, as the vocabulary spells it; nil where no token has it.
  public func token(of id: Int) -> String? {
    addedTokens.token(of: id) ?? model.vocabulary.token(of: id)
  }

  /// The tokens of a text.
  /// - Parameter addingSpecialTokens: whether the tokenizer's file may add tokens, such as one that begins the text.
  public func encode(_ text: String, addingSpecialTokens: Bool) -> Encoding {
    var encoding = Encoding()
    for part in addedTokens.split(AlignedText(text), normalizer: normalizer) {
      switch part {
      case .token(let id, let range):
        encoding.append(id: id, token: token(of: id) ?? "", range: range)
      case .text(let stretch):
        for piece in splitter?.pieces(of: stretch) ?? [stretch] {
          for token in model.tokens(of: piece) {
            let place = piece.startIndex + Int(token.start)..<piece.startIndex + Int(token.end)
            encoding.append(
              id: Int(token.id), token: model.vocabulary.token(of: Int(token.id)) ?? "",
              range: piece[place].originalRange)
          }
        }
      }
    }
    postProcessor?.process(&encoding, addingSpecialTokens: addingSpecialTokens) { token(of: $0) ?? "" }
    return encoding
  }

  /// The tokens of a text after the token that begins every text, and no other special token.
  ///
  /// Where the vocabulary has no such token, the text's own tokens alone.
  public func encodeWithBeginning(_ text: String) -> Encoding {
    var encoding = encode(text, addingSpecialTokens: false)
    if let id = beginningOfText {
      encoding.ids.insert(id, at: 0)
      encoding.tokens.insert(token(of: id) ?? "", at: 0)
      encoding.offsets.insert(0..<0, at: 0)
    }
    return encoding
  }

  /// The one token that the text consists of, or nil where it takes none or several.
  public func singleToken(_ text: String) -> Int? {
    let ids = encode(text, addingSpecialTokens: false).ids
    return ids.count == 1 ? ids[0] : nil
  }

  /// The text of token ids; ids that no token has are left out.
  public func decode(_ ids: [Int], skippingSpecialTokens: Bool) -> String {
    let tokens = ids.compactMap { id in
      skippingSpecialTokens && addedTokens.isSpecial(id) ? nil : token(of: id)
    }
    return decoder?.decode(tokens).joined() ?? tokens.joined(separator: " ")
  }
}
