// Numbers as people write them: decimal commas, thousands, units, percent, brackets for what is below zero.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// How a column writes its numbers.
struct NumberSpelling: Sendable, Equatable, Hashable {
  /// The decimal mark.
  enum Decimal: Sendable, Hashable { case point, comma }

  /// What stands before the decimals.
  var decimal: Decimal = .point
  /// The unit that stands before or after the digits; nil where there is none.
  var unit: String?
  /// Whether some numbers of the column have marks between thousands.
  var hasGroups = false
  /// Whether numbers below zero are written in brackets.
  var hasBrackets = false

  /// A number's text taken apart: sign, unit, and digits with their marks.
  struct Parts {
    var isNegative: Bool
    var isBracketed: Bool
    var unit: String?
    /// Digits, points, commas and other marks between digits; blanks and apostrophes become "'".
    var digits: [UInt8]
  }

  private static let units: [(spelling: String, unit: String)] = [
    ("US$", "$"), ("A$", "A$"), ("C$", "C$"), ("R$", "R$"), ("$", "$"), ("€", "€"), ("£", "£"), ("¥", "¥"),
    ("₹", "₹"), ("₽", "₽"), ("₩", "₩"), ("₺", "₺"), ("₪", "₪"), ("%", "%"), ("USD", "USD"), ("EUR", "EUR"),
    ("GBP", "GBP"), ("CHF", "CHF"), ("JPY", "JPY"), ("CAD", "CAD"), ("AUD", "AUD"), ("SEK", "SEK"),
    ("NOK", "NOK"), ("DKK", "DKK"), ("PLN", "PLN"), ("CZK", "CZK"), ("BRL", "BRL"), ("INR", "INR"),
    ("CNY", "CNY"), ("kr", "kr"), ("zł", "zł"), ("Kč", "Kč"), ("Ft", "Ft"), ("Fr.", "Fr."), ("Rs.", "Rs."),
    ("Rs", "Rs."),
  ]

  /// Takes a cell's text apart; nil where it is no number in any spelling.
  static func parts(_ text: String) -> Parts? {
    var rest = text[...]
    func trim() {
      while let first = rest.first, isBlank(first) { rest.removeFirst() }
      while let last = rest.last, isBlank(last) { rest.removeLast() }
    }
    var isNegative = false
    var isBracketed = false
    var unit: String?
    trim()
    if rest.first == "(", rest.last == ")" {
      rest = rest.dropFirst().dropLast()
      (isNegative, isBracketed) = (true, true)
    }
    // Sign and unit may stand in any order before the digits, and a unit or a sign after them.
    for _ in 0..<3 {
      trim()
      if let first = rest.first, first == "-" || first == "−" || first == "–" || first == "+" {
        guard !isNegative || first == "+" else { return nil }
        isNegative = isNegative || first != "+"
        rest.removeFirst()
      } else if let found = units.first(where: { rest.hasPrefix($0.spelling) }), unit == nil {
        unit = found.unit
        rest = rest.dropFirst(found.spelling.count)
      } else {
        break
      }
    }
    trim()
    if unit == nil, let found = units.first(where: { rest.hasSuffix($0.spelling) }) {
      unit = found.unit
      rest = rest.dropLast(found.spelling.count)
      trim()
    }
    if let last = rest.last, last == "-" || last == "−", !isNegative {
      isNegative = true
      rest.removeLast()
      trim()
    }
    guard let first = rest.first, let last = rest.last, first.isASCII, last.isASCII,
      first.isWholeNumber || first == "." || first == ",", last.isWholeNumber || last == "." || last == ","
    else { return nil }
    var digits: [UInt8] = []
    var digitCount = 0
    for character in rest {
      if let byte = character.asciiValue, byte &- 48 <= 9 || byte == 0x2e || byte == 0x2c {
        digits.append(byte)
        if byte &- 48 <= 9 { digitCount += 1 }
      } else if isBlank(character) || character == "'" || character == "’" {
        digits.append(UInt8(ascii: "'"))
      } else {
        return nil
      }
    }
    guard digitCount > 0, digitCount <= 40 else { return nil }
    return Parts(isNegative: isNegative, isBracketed: isBracketed, unit: unit, digits: digits)
  }

  private static func isBlank(_ character: Character) -> Bool {
    character == " " || character == "\u{a0}" || character == "\u{202f}" || character == "\u{2009}"
      || character == "\t"
  }

  /// The number a cell holds in this spelling; nil where it holds none.
  func value(_ text: String) -> Double? {
    guard let parts = Self.parts(text), parts.unit == nil || parts.unit == unit else { return nil }
    // A number without the unit that others have may be zero, or in the unit left out; percent is never left out.
    if unit == "%", parts.unit == nil { return nil }
    let point: UInt8 = decimal == .point ? 0x2e : 0x2c
    let group: UInt8 = decimal == .point ? 0x2c : 0x2e
    var plain: [UInt8] = []
    var seenPoint = false
    var sinceMark = -1
    for byte in parts.digits {
      switch byte {
      case point:
        guard !seenPoint, sinceMark < 0 || sinceMark == 3 else { return nil }
        (seenPoint, sinceMark) = (true, -1)
        plain.append(0x2e)
      case group, UInt8(ascii: "'"):
        // Groups of three; the first may be shorter, and in Indian numbers all but the last have two.
        guard !seenPoint, !plain.isEmpty, sinceMark < 0 ? plain.count <= 3 : sinceMark == 3 || sinceMark == 2
        else { return nil }
        sinceMark = 0
      default:
        plain.append(byte)
        if sinceMark >= 0, !seenPoint { sinceMark += 1 }
      }
    }
    guard sinceMark < 0 || sinceMark == 3 else { return nil }
    guard let value = strtod(plain) else { return nil }
    return parts.isNegative ? -value : value
  }

  /// What the digits of one cell say about the decimal mark.
  enum Evidence { case point, comma, either, neither }

  /// What a cell's marks say: a mark that stands once and not before exactly three digits, or after another mark, is
  /// the decimal one; one that repeats is between thousands.
  static func evidence(_ digits: [UInt8]) -> Evidence {
    let points = digits.indices.filter { digits[$0] == 0x2e }
    let commas = digits.indices.filter { digits[$0] == 0x2c }
    if let point = points.last, let comma = commas.last { return point > comma ? .point : .comma }
    guard let mark = (points.isEmpty ? commas : points).last else { return .neither }
    let isComma = points.isEmpty
    let count = max(points.count, commas.count)
    let blanks = digits.contains(UInt8(ascii: "'"))
    if count > 1 { return isComma ? .point : .comma }
    let after = digits.count - mark - 1
    let before = mark
    let isGrouped =
      after == 3 && before >= 1 && before <= 3 && !(before == 1 && digits[0] == 48) && digits[0] != 48
    if blanks || !isGrouped { return isComma ? .comma : .point }
    return .either
  }
}

/// A number from plain decimal bytes.
func strtod(_ bytes: [UInt8]) -> Double? {
  guard bytes.contains(where: { $0 &- 48 <= 9 }) else { return nil }
  let terminated = bytes.map { CChar(bitPattern: $0) } + [0]
  return terminated.withUnsafeBufferPointer { text in
    guard let base = text.baseAddress else { return nil }
    var end: UnsafeMutablePointer<CChar>?
    #if canImport(Glibc)
      let value = Glibc.strtod(base, &end)
    #else
      let value = Musl.strtod(base, &end)
    #endif
    return end.map { UnsafePointer($0) - base } == bytes.count ? value : nil
  }
}
