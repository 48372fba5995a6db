// Text with slots in braces: "When {A} and {B} went to the {place}, {S} gave a {object} to".

/// A text with slots. A brace that is meant as a brace is written twice.
public struct PromptTemplate: Equatable, Sendable {
  /// A stretch of literal text, or what stands between braces.
  public enum Piece: Equatable, Sendable {
    case text(String)
    /// The value of a slot.
    case slot(String)
    /// Every whole number between two bounds, each a slot's number or a literal one, moved by an offset.
    case range(Bound, Bound)
  }

  /// One end of a range of numbers: `year`, `year+1`, `99`.
  public struct Bound: Equatable, Sendable {
    /// The slot whose number is meant; nil for a literal number.
    public var slot: String?
    /// The literal number, or what is added to the slot's.
    public var offset: Int
  }

  /// The text as it was written.
  public let source: String
  /// The text in pieces.
  public let pieces: [Piece]

  /// Splits a text at its braces.
  /// - Throws: `TemplateProblem` that says what is wrong.
  init(_ source: String) throws(TemplateProblem) {
    self.source = source
    var pieces: [Piece] = []
    var literal = ""
    var rest = source[...]
    while let character = rest.popFirst() {
      if character == "{" || character == "}", rest.first == character {
        literal.append(character)
        rest.removeFirst()
      } else if character == "{" {
        guard let end = rest.firstIndex(of: "}") else {
          throw TemplateProblem("a '{' is not closed; a literal brace is written '{{'")
        }
        if !literal.isEmpty { pieces.append(.text(literal)) }
        literal = ""
        pieces.append(try Self.piece(String(rest[..<end])))
        rest = rest[rest.index(after: end)...]
      } else if character == "}" {
        throw TemplateProblem("a '}' without '{'; a literal brace is written '}}'")
      } else {
        literal.append(character)
      }
    }
    if !literal.isEmpty { pieces.append(.text(literal)) }
    self.pieces = pieces
  }

  /// The names of the slots the text uses, each once, in order.
  public var slots: [String] {
    var names: [String] = []
    for piece in pieces {
      let used: [String?] =
        switch piece {
        case .text: []
        case .slot(let name): [name]
        case .range(let low, let high): [low.slot, high.slot]
        }
      for name in used.compactMap({ $0 }) where !names.contains(name) { names.append(name) }
    }
    return names
  }

  /// Whether the text holds a range, and so stands for several texts.
  var hasRange: Bool {
    pieces.contains { if case .range = $0 { true } else { false } }
  }

  private static func piece(_ inside: String) throws(TemplateProblem) -> Piece {
    if let dots = inside.firstRange(of: "..") {
      return .range(try bound(inside[..<dots.lowerBound]), try bound(inside[dots.upperBound...]))
    }
    guard isName(inside) else {
      throw TemplateProblem("'{\(inside)}' is not a slot; names are made of letters, digits and '_'")
    }
    return .slot(inside)
  }

  private static func bound(_ text: Substring) throws(TemplateProblem) -> Bound {
    if let number = Int(text) { return Bound(slot: nil, offset: number) }
    let sign = text.lastIndex { $0 == "+" || $0 == "-" }
    let name = String(sign.map { text[..<$0] } ?? text)
    guard isName(name), let offset = sign.map({ Int(text[$0...]) }) ?? 0 else {
      throw TemplateProblem("'\(text)' is not a number, a slot, or a slot with an offset like 'year+1'")
    }
    return Bound(slot: name, offset: offset)
  }

  private static func isName(_ text: String) -> Bool {
    !text.isEmpty && Int(text) == nil && text.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" }
  }
}

/// What is wrong with a template.
struct TemplateProblem: Error {
  let text: String
  init(_ text: String) { self.text = text }
}
