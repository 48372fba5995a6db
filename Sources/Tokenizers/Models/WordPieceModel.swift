// WordPiece: from the left, the longest token that a word begins with; a word that cannot be spelled so is unknown.
//
// Source: Wu et al. 2016; Devlin et al. 2019, "BERT".

import Files

struct WordPieceModel: Sendable {
  let vocabulary: Vocabulary
  let unknown: Int
  private let prefix: [UInt8]
  private let longestWord: Int

  /// Reads a model of type `WordPiece`.
  init(_ field: JSONField) throws(TokenizerProblem) {
    try field.allowOnly([
      "type", "vocab", "unk_token", "continuing_subword_prefix", "max_input_chars_per_word",
    ])
    vocabulary = try Vocabulary(field.required("vocab"))
    let unknownToken = try field.required("unk_token")
    let token = try unknownToken.string()
    guard let unknown = vocabulary.id(of: token) else {
      throw .unknownToken(field: unknownToken.path, token: token)
    }
    self.unknown = unknown
    prefix = Array(try field.member("continuing_subword_prefix")?.string().utf8 ?? "##".utf8)
    longestWord = try field.member("max_input_chars_per_word")?.count() ?? 100
  }

  func tokens(of piece: AlignedText) -> [PieceToken] {
    let whole = [PieceToken(id: Int32(unknown), start: 0, end: Int32(piece.count))]
    guard piece.count <= longestWord else { return whole }
    var tokens: [PieceToken] = []
    var start = 0
    while start < piece.count {
      var bytes = start > 0 ? prefix : []
      var ends = [bytes.count]
      for scalar in piece.dropFirst(start) {
        appendUTF8(scalar.value, to: &bytes)
        ends.append(bytes.count)
      }
      let length = stride(from: piece.count - start, to: 0, by: -1).first { length in
        vocabulary.id(of: bytes[..<ends[length]]) != nil
      }
      guard let length, let id = vocabulary.id(of: bytes[..<ends[length]]) else { return whole }
      tokens.append(PieceToken(id: Int32(id), start: Int32(start), end: Int32(start + length)))
      start += length
    }
    return tokens
  }
}
