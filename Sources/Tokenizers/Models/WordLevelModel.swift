// Word level: a piece is a token, or unknown.

import Files

struct WordLevelModel: Sendable {
  let vocabulary: Vocabulary
  let unknown: Int

  /// Reads a model of type `WordLevel`.
  init(_ field: JSONField) throws(TokenizerProblem) {
    try field.allowOnly(["type", "vocab", "unk_token"])
    vocabulary = try Vocabulary(field.required("vocab"))
    let unknownToken = try field.required("unk_token")
    let token = try unknownToken.string()
    guard let unknown = vocabulary.id(of: token) else {
      throw .unknownToken(field: unknownToken.path, token: token)
    }
    self.unknown = unknown
  }

  func tokens(of piece: AlignedText) -> [PieceToken] {
    var word: [UInt8] = []
    word.reserveCapacity(piece.count)
    for scalar in piece { appendUTF8(scalar.value, to: &word) }
    let id = vocabulary.id(of: word) ?? unknown
    return [PieceToken(id: Int32(id), start: 0, end: Int32(piece.count))]
  }
}
