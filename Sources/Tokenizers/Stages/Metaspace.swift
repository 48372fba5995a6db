// SentencePiece's way with spaces: a visible sign instead of a space, and one before the first word.

import Files

/// The rule `Metaspace`, which is both a splitter and a decoder.
struct Metaspace: Sendable {
  enum Prepending: String, Sendable { case first, never, always }

  let replacement: UInt32
  let prepending: Prepending
  let splits: Bool

  /// Reads a splitter or decoder of type `Metaspace`.
  init(_ field: JSONField) throws(TokenizerProblem) {
    try field.allowOnly(["type", "replacement", "add_prefix_space", "prepend_scheme", "split", "str_rep"])
    let sign = try field.required("replacement")
    let scalars = try sign.string().scalarValues
    guard let replacement = scalars.first, scalars.count == 1 else {
      throw .wrongValue(field: sign.path, expected: "one character")
    }
    self.replacement = replacement
    let addsPrefix = try field.member("add_prefix_space")?.bool()
    if let scheme = try field.member("prepend_scheme") {
      prepending = try scheme.word(as: Prepending.self)
    } else {
      prepending = addsPrefix == false ? .never : .always
    }
    splits = try field.bool("split", absent: true)
  }

  func pieces(of text: AlignedText) -> [AlignedText] {
    var text = text
    for index in text.indices where text[index].value == 32 { text[index].value = replacement }
    let isWanted =
      switch prepending {
      case .always: true
      case .never: false
      case .first: text.first?.start == 0
      }
    if isWanted, text.first?.value != replacement { text.prepend([replacement]) }
    guard splits else { return [text] }
    let signs = text.indices.filter { text[$0].value == replacement }.map { $0..<$0 + 1 }
    return SplitBehavior.mergedWithNext.pieces(of: text, matches: signs)
  }

  /// The tokens with spaces again.
  func decode(_ tokens: [String]) -> [String] {
    tokens.enumerated().map { index, token in
      var text = String.UnicodeScalarView()
      for scalar in token.unicodeScalars {
        if scalar.value != replacement {
          text.append(scalar)
        } else if index > 0 || prepending == .never {
          text.append(" ")
        }
      }
      return String(text)
    }
  }
}
