// Reading JSON (RFC 8259) from UTF-8 bytes; an error knows its line and column.

extension JSONValue {
  /// Parses one JSON value that fills `text`.
  /// - Throws: `JSONSyntaxError` with the line and column, also for a key given twice in one object.
  public init(parsing text: String) throws(JSONSyntaxError) {
    var parser = JSONParser(bytes: Array(text.utf8))
    self = try parser.document()
  }
}

private struct JSONParser {
  let bytes: [UInt8]
  var position = 0
  private static let deepest = 256

  init(bytes: [UInt8]) { self.bytes = bytes }

  mutating func document() throws(JSONSyntaxError) -> JSONValue {
    skipBlanks()
    let value = try value(depth: 0)
    skipBlanks()
    guard position == bytes.count else { throw error("something stands after the value") }
    return value
  }

  private func error(_ problem: String) -> JSONSyntaxError {
    let before = bytes.prefix(position)
    let line = before.count { $0 == UInt8(ascii: "\n") } + 1
    let start = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    return JSONSyntaxError(line: line, column: position - start + 1, problem: problem)
  }

  private var next: UInt8? { position < bytes.count ? bytes[position] : nil }

  private mutating func skipBlanks() {
    while let byte = next, byte == 0x20 || (0x09...0x0a).contains(byte) || byte == 0x0d { position += 1 }
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard next == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func value(depth: Int) throws(JSONSyntaxError) -> JSONValue {
    guard depth < Self.deepest else { throw error("values are nested too deeply") }
    guard let byte = next else { throw error("the text ends where a value is needed") }
    switch byte {
    case UInt8(ascii: "{"): return try object(depth: depth)
    case UInt8(ascii: "["): return try array(depth: depth)
    case UInt8(ascii: "\""): return .string(try string())
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): return try number()
    default:
      for (word, value) in [("true", JSONValue.boolean(true)), ("false", .boolean(false)), ("null", .null)]
      where bytes[position...].starts(with: word.utf8) {
        position += word.utf8.count
        return value
      }
      throw error("no JSON value starts here")
    }
  }

  private mutating func array(depth: Int) throws(JSONSyntaxError) -> JSONValue {
    position += 1
    var elements: [JSONValue] = []
    skipBlanks()
    if take("]") { return .array([]) }
    while true {
      skipBlanks()
      elements.append(try value(depth: depth + 1))
      skipBlanks()
      if take("]") { return .array(elements) }
      guard take(",") else { throw error("a comma or ']' is needed here") }
    }
  }

  private mutating func object(depth: Int) throws(JSONSyntaxError) -> JSONValue {
    position += 1
    var members: [JSONMember] = []
    var keys: Set<String> = []
    skipBlanks()
    if take("}") { return .object([]) }
    while true {
      skipBlanks()
      guard next == UInt8(ascii: "\"") else { throw error("a key in quotes is needed here") }
      let key = try string()
      guard keys.insert(key).inserted else { throw error("the key \"\(key)\" stands twice in one object") }
      skipBlanks()
      guard take(":") else { throw error("a colon is needed after the key \"\(key)\"") }
      skipBlanks()
      members.append(JSONMember(key, try value(depth: depth + 1)))
      skipBlanks()
      if take("}") { return .object(members) }
      guard take(",") else { throw error("a comma or '}' is needed here") }
    }
  }

  private mutating func number() throws(JSONSyntaxError) -> JSONValue {
    let start = position
    _ = take("-")
    let firstDigit = next
    let whole = digits()
    guard whole > 0, whole == 1 || firstDigit != UInt8(ascii: "0") else { throw error("not a JSON number") }
    var isWhole = true
    if take(".") {
      isWhole = false
      guard digits() > 0 else { throw error("digits are needed after the point") }
    }
    if take("e") || take("E") {
      isWhole = false
      if !take("+") { _ = take("-") }
      guard digits() > 0 else { throw error("digits are needed in the exponent") }
    }
    let text = String(decoding: bytes[start..<position], as: UTF8.self)
    if isWhole, let integer = Int(text) { return .integer(integer) }
    guard let value = Double(text), value.isFinite else { throw error("the number \(text) is out of range") }
    return .number(value)
  }

  private mutating func digits() -> Int {
    let start = position
    while let byte = next, (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) { position += 1 }
    return position - start
  }

  private mutating func string() throws(JSONSyntaxError) -> String {
    position += 1
    var content: [UInt8] = []
    while let byte = next {
      switch byte {
      case UInt8(ascii: "\""):
        position += 1
        guard let text = String(validating: content, as: UTF8.self) else {
          throw error("the text is not valid UTF-8")
        }
        return text
      case UInt8(ascii: "\\"):
        position += 1
        content.append(contentsOf: try escaped())
      case 0..<0x20: throw error("a control character inside a text must be escaped")
      default:
        content.append(byte)
        position += 1
      }
    }
    throw error("the text is not closed")
  }

  private mutating func escaped() throws(JSONSyntaxError) -> String.UTF8View {
    guard let byte = next else { throw error("the text is not closed") }
    position += 1
    switch byte {
    case UInt8(ascii: "\""): return "\"".utf8
    case UInt8(ascii: "\\"): return "\\".utf8
    case UInt8(ascii: "/"): return "/".utf8
    case UInt8(ascii: "b"): return "\u{8}".utf8
    case UInt8(ascii: "f"): return "\u{c}".utf8
    case UInt8(ascii: "n"): return "\n".utf8
    case UInt8(ascii: "r"): return "\r".utf8
    case UInt8(ascii: "t"): return "\t".utf8
    case UInt8(ascii: "u"): return String(Character(try unicodeScalar())).utf8
    default: throw error("there is no such escape")
    }
  }

  private mutating func unicodeScalar() throws(JSONSyntaxError) -> Unicode.Scalar {
    let first = try fourHexDigits()
    if let scalar = Unicode.Scalar(first) { return scalar }
    guard first < 0xdc00, take("\\"), take("u") else { throw error("half of a surrogate pair") }
    let second = try fourHexDigits()
    guard (0xdc00...0xdfff).contains(second),
      let scalar = Unicode.Scalar(0x10000 + (first - 0xd800) << 10 + (second - 0xdc00))
    else { throw error("half of a surrogate pair") }
    return scalar
  }

  private mutating func fourHexDigits() throws(JSONSyntaxError) -> UInt32 {
    var value: UInt32 = 0
    for _ in 0..<4 {
      guard let byte = next, let digit = Character(Unicode.Scalar(byte)).hexDigitValue, byte < 0x80 else {
        throw error("four hexadecimal digits are needed")
      }
      value = value << 4 | UInt32(digit)
      position += 1
    }
    return value
  }
}
