// Unigram: of all ways to cut a piece into tokens, the one whose tokens' scores add up to most.
//
// Source: Kudo 2018, "Subword regularization"; ties and unknown characters as the `tokenizers` package treats them.

import Files

/// A unigram model, as SentencePiece trains them.
struct UnigramModel: Sendable {
  let vocabulary: Vocabulary
  let unknown: Int
  private let scores: [Double]
  private let unknownScore: Double
  private let longestToken: Int
  /// The tokens `<0x00>` … `<0xFF>`, where characters fall back to bytes and all of them are there.
  private let byteTokens: [Int32]?
  private let cache = PieceCache()

  /// What an unknown character costs beyond the worst token.
  private static let unknownPenalty = 10.0

  /// Reads a model of type `Unigram`.
  init(_ field: JSONField) throws(TokenizerProblem) {
    try field.allowOnly(["type", "unk_id", "vocab", "byte_fallback"])
    let entries = try field.required("vocab")
    var pieces: [String] = []
    var scores: [Double] = []
    for entry in try entries.elements() {
      let pair = try entry.elements()
      guard pair.count == 2, let score = pair[1].number else {
        throw .wrongValue(field: entry.path, expected: "a token and its score")
      }
      pieces.append(try pair[0].string())
      scores.append(score)
    }
    let unknownField = try field.required("unk_id")
    unknown = try unknownField.count()
    guard pieces.indices.contains(unknown) else {
      throw .unknownToken(field: unknownField.path, token: "\(unknown)")
    }
    var vocabulary = Vocabulary(capacity: pieces.count)
    for (id, piece) in pieces.enumerated() { vocabulary.insert(piece.utf8, id: id) }
    byteTokens =
      try field.bool("byte_fallback", absent: false) ? vocabulary.byteTokens : nil
    self.vocabulary = vocabulary
    self.scores = scores
    unknownScore = (scores.min() ?? 0) - Self.unknownPenalty
    longestToken = pieces.map(\.utf8.count).max() ?? 0
  }

  func tokens(of piece: AlignedText) -> [PieceToken] {
    let key = piece.count <= PieceCache.longestPiece ? piece.map(\.value) : []
    if !key.isEmpty, let known = cache[key] { return known }
    let tokens = spelled(best(piece), in: piece)
    if !key.isEmpty { cache[key] = tokens }
    return tokens
  }

  /// A step of the best way to a place: where its last token begins, and which that is.
  private struct Step {
    var score = 0.0
    var start = -1
    var id = 0
  }

  /// The tokens of the best way through a piece, from first to last.
  private func best(_ piece: AlignedText) -> [(start: Int, end: Int, id: Int)] {
    var bytes: [UInt8] = []
    var starts: [Int] = []
    for scalar in piece {
      starts.append(bytes.count)
      appendUTF8(scalar.value, to: &bytes)
    }
    starts.append(bytes.count)
    var steps = [Step](repeating: Step(), count: piece.count + 1)
    for place in 0..<piece.count {
      let here = steps[place].score
      var hasSingle = false
      var end = place + 1
      while end <= piece.count, starts[end] - starts[place] <= longestToken {
        if let id = vocabulary.id(of: bytes[starts[place]..<starts[end]]) {
          improve(&steps[end], Step(score: here + scores[id], start: place, id: id))
          if end == place + 1 { hasSingle = true }
        }
        end += 1
      }
      if !hasSingle {
        improve(&steps[place + 1], Step(score: here + unknownScore, start: place, id: unknown))
      }
    }
    var result: [(start: Int, end: Int, id: Int)] = []
    var end = piece.count
    while end > 0 {
      let step = steps[end]
      // Neighbouring unknown characters are one token.
      if step.id == unknown, let last = result.last, last.id == unknown, last.start == end {
        result[result.count - 1].start = step.start
      } else {
        result.append((step.start, end, step.id))
      }
      end = step.start
    }
    return result.reversed()
  }

  private func improve(_ step: inout Step, _ other: Step) {
    if step.start < 0 || other.score > step.score { step = other }
  }

  /// The tokens with unknown ones spelled in bytes, where the model does so.
  private func spelled(
    _ ways: [(start: Int, end: Int, id: Int)], in piece: AlignedText
  ) -> [PieceToken] {
    ways.flatMap { way -> [PieceToken] in
      let (start, end) = (Int32(way.start), Int32(way.end))
      guard way.id == unknown, let byteTokens else {
        return [PieceToken(id: Int32(way.id), start: start, end: end)]
      }
      var bytes: [UInt8] = []
      for index in way.start..<way.end { appendUTF8(piece[piece.startIndex + index].value, to: &bytes) }
      // A token whose own text is in the vocabulary stands for itself.
      if let id = vocabulary.id(of: bytes) { return [PieceToken(id: Int32(id), start: start, end: end)] }
      return bytes.map { PieceToken(id: byteTokens[Int($0)], start: start, end: end) }
    }
  }
}

extension Vocabulary {
  /// The tokens `<0x00>` … `<0xFF>`; nil unless all are there.
  var byteTokens: [Int32]? {
    let ids = (0...255).map { byte in
      let digits = String(byte, radix: 16, uppercase: true)
      return id(of: "<0x\(digits.count == 1 ? "0" : "")\(digits)>").map { Int32($0) } ?? -1
    }
    return ids.allSatisfy { $0 >= 0 } ? ids : nil
  }
}
