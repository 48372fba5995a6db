// Byte-pair encoding: a piece starts as single characters, and the earliest learned merge is done until none is left.

import Files

/// A byte-pair model; the pieces of byte-level tokenizers come to it with every byte as a character of its own.
struct BytePairModel: Sendable {
  let vocabulary: Vocabulary
  private let merges: MergeTable
  let unknown: Int32?
  private let fusesUnknown: Bool
  private let ignoresMerges: Bool
  /// The tokens `<0x00>` … `<0xFF>`, −1 where there is none; nil where characters do not fall back to bytes.
  private let byteTokens: [Int32]?
  private let prefix: [UInt8]
  private let suffix: [UInt8]
  private let cache = PieceCache()

  /// Reads a model of type `BPE`.
  init(_ field: JSONField) throws(TokenizerProblem) {
    try field.allowOnly([
      "type", "dropout", "unk_token", "continuing_subword_prefix", "end_of_word_suffix", "fuse_unk",
      "byte_fallback", "ignore_merges", "vocab", "merges",
    ])
    if let dropout = try field.member("dropout"), !["0", "0.0"].contains(dropout.shownValue) {
      throw .unsupported(field: dropout.path, value: dropout.shownValue)
    }
    let vocabulary = try Vocabulary(field.required("vocab"))
    prefix = Array(try field.member("continuing_subword_prefix")?.string().utf8 ?? "".utf8)
    suffix = Array(try field.member("end_of_word_suffix")?.string().utf8 ?? "".utf8)
    merges = try MergeTable(field.required("merges"), vocabulary: vocabulary, prefix: prefix)
    fusesUnknown = try field.bool("fuse_unk", absent: false)
    ignoresMerges = try field.bool("ignore_merges", absent: false)
    if let unknownToken = try field.member("unk_token") {
      let token = try unknownToken.string()
      guard let id = vocabulary.id(of: token) else {
        throw .unknownToken(field: unknownToken.path, token: token)
      }
      unknown = Int32(id)
    } else {
      unknown = nil
    }
    byteTokens =
      try field.bool("byte_fallback", absent: false)
      ? (0...255).map { byte in
        let digits = String(byte, radix: 16, uppercase: true)
        return vocabulary.id(of: "<0x\(digits.count == 1 ? "0" : "")\(digits)>").map { Int32($0) } ?? -1
      } : nil
    self.vocabulary = vocabulary
  }

  /// A model of merges alone, in which every character that comes is a token.
  init(vocabulary: Vocabulary, merges: MergeTable) {
    self.vocabulary = vocabulary
    self.merges = merges
    (unknown, fusesUnknown, ignoresMerges, byteTokens, prefix, suffix) = (nil, false, true, nil, [], [])
  }

  func tokens(of piece: AlignedText) -> [PieceToken] {
    if ignoresMerges {
      var word: [UInt8] = []
      for scalar in piece { appendUTF8(scalar.value, to: &word) }
      if let id = vocabulary.id(of: word) {
        return [PieceToken(id: Int32(id), start: 0, end: Int32(piece.count))]
      }
    }
    let key = piece.count <= PieceCache.longestPiece ? piece.map(\.value) : []
    if !key.isEmpty, let known = cache[key] { return known }
    var word = symbols(of: piece)
    mergeAll(&word, with: merges)
    if !key.isEmpty { cache[key] = word }
    return word
  }

  /// The piece as one token a character, before any merge.
  private func symbols(of piece: AlignedText) -> [PieceToken] {
    var word: [PieceToken] = []
    word.reserveCapacity(piece.count)
    var pending: PieceToken?
    var bytes: [UInt8] = []
    for (offset, scalar) in piece.enumerated() {
      let place = (start: Int32(offset), end: Int32(offset + 1))
      bytes.removeAll(keepingCapacity: true)
      if offset > 0 { bytes += prefix }
      appendUTF8(scalar.value, to: &bytes)
      if offset == piece.count - 1 { bytes += suffix }
      if let id = vocabulary.id(of: bytes) {
        if let token = pending { word.append(token) }
        pending = nil
        word.append(PieceToken(id: Int32(id), start: place.start, end: place.end))
      } else if let fallback = byteTokens.map({ table in bytes.map { table[Int($0)] } }),
        fallback.allSatisfy({ $0 >= 0 })
      {
        word += fallback.map { PieceToken(id: $0, start: place.start, end: place.end) }
      } else if let unknown {
        if let token = pending, fusesUnknown {
          pending = PieceToken(id: unknown, start: token.start, end: place.end)
        } else {
          if let token = pending { word.append(token) }
          pending = PieceToken(id: unknown, start: place.start, end: place.end)
        }
      }
    }
    if let token = pending { word.append(token) }
    return word
  }
}
