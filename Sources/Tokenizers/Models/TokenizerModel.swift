// A model turns one piece of text into tokens.

import Files

/// One token of a piece and the scalars of the piece that it covers.
struct PieceToken: Sendable, Equatable {
  var id: Int32
  var start: Int32
  var end: Int32
}

/// The model of a tokenizer: which tokens a piece of text consists of.
enum TokenizerModel: Sendable {
  case bytePair(BytePairModel)
  case wordLevel(WordLevelModel)
  case wordPiece(WordPieceModel)
  case unigram(UnigramModel)

  /// Reads the field `model`.
  init(_ field: JSONField) throws(TokenizerProblem) {
    guard let type = try field.member("type") else {
      // Files of early versions do not say; only byte-pair models have merges, and only unigram models lists.
      if try field.member("unk_id") != nil {
        self = .unigram(try UnigramModel(field))
        return
      }
      if try field.member("continuing_subword_prefix") != nil, try field.member("merges") == nil {
        self = .wordPiece(try WordPieceModel(field))
        return
      }
      guard try field.member("merges") != nil else { throw .missing(field: "model.type") }
      self = .bytePair(try BytePairModel(field))
      return
    }
    switch try type.string() {
    case "BPE": self = .bytePair(try BytePairModel(field))
    case "WordLevel": self = .wordLevel(try WordLevelModel(field))
    case "WordPiece": self = .wordPiece(try WordPieceModel(field))
    case "Unigram": self = .unigram(try UnigramModel(field))
    case let other: throw .unsupported(field: type.path, value: other)
    }
  }

  var vocabulary: Vocabulary {
    switch self {
    case .bytePair(let model): model.vocabulary
    case .wordLevel(let model): model.vocabulary
    case .wordPiece(let model): model.vocabulary
    case .unigram(let model): model.vocabulary
    }
  }

  /// The token that stands for what the vocabulary lacks.
  var unknown: Int? {
    switch self {
    case .bytePair(let model): model.unknown.map { Int($0) }
    case .wordLevel(let model): model.unknown
    case .wordPiece(let model): model.unknown
    case .unigram(let model): model.unknown
    }
  }

  /// The tokens of a piece.
  func tokens(of piece: AlignedText) -> [PieceToken] {
    switch self {
    case .bytePair(let model): model.tokens(of: piece)
    case .wordLevel(let model): model.tokens(of: piece)
    case .wordPiece(let model): model.tokens(of: piece)
    case .unigram(let model): model.tokens(of: piece)
    }
  }
}
