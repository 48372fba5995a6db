// The grammar of JSON: one pass over the bytes that writes a node a value.

/// A place in a JSON text, moving forward.
struct JSONScanner {
  var offset: Int

  private func byte(_ bytes: [UInt8]) -> UInt8 { offset < bytes.count ? bytes[offset] : 0 }

  private func problem(_ text: String) -> JSONProblem { JSONProblem(offset: offset, text: text) }

  mutating func skipBlanks(_ bytes: [UInt8]) {
    while offset < bytes.count {
      switch bytes[offset] {
      case UInt8(ascii: " "), UInt8(ascii: "\n"), UInt8(ascii: "\r"), UInt8(ascii: "\t"): offset += 1
      default: return
      }
    }
  }

  mutating func scanValue(
    _ bytes: [UInt8], into nodes: inout [JSONDocument.Node], depthLeft: Int
  ) throws(JSONProblem) {
    // Scanning recurses once a level.
    guard depthLeft > 0 else {
      throw problem("values are nested too deeply: " + Limit.nesting.refusal(of: "levels"))
    }
    guard offset < bytes.count else { throw problem("the text ends where a value is needed") }
    switch bytes[offset] {
    case UInt8(ascii: "\""): try scanString(bytes, into: &nodes)
    case UInt8(ascii: "{"): try scanContainer(bytes, .object, into: &nodes, depthLeft: depthLeft)
    case UInt8(ascii: "["): try scanContainer(bytes, .array, into: &nodes, depthLeft: depthLeft)
    case UInt8(ascii: "n"): try scanWord("null", .null, bytes, into: &nodes)
    case UInt8(ascii: "t"): try scanWord("true", .true_, bytes, into: &nodes)
    case UInt8(ascii: "f"): try scanWord("false", .false_, bytes, into: &nodes)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): try scanNumber(bytes, into: &nodes)
    default: throw problem("no JSON value starts here")
    }
  }

  private mutating func scanContainer(
    _ bytes: [UInt8], _ kind: JSONDocument.Kind, into nodes: inout [JSONDocument.Node], depthLeft: Int
  ) throws(JSONProblem) {
    let close = kind == .object ? UInt8(ascii: "}") : UInt8(ascii: "]")
    let own = nodes.count
    nodes.append(.init(kind: kind, start: UInt32(offset), end: 0, next: 0))
    offset += 1
    skipBlanks(bytes)
    if byte(bytes) != close {
      while true {
        if kind == .object { try scanName(bytes, into: &nodes) }
        try scanValue(bytes, into: &nodes, depthLeft: depthLeft - 1)
        skipBlanks(bytes)
        if byte(bytes) == close { break }
        guard byte(bytes) == UInt8(ascii: ",") else {
          throw problem("a comma or '\(kind == .object ? "}" : "]")' is needed here")
        }
        offset += 1
        skipBlanks(bytes)
      }
    }
    offset += 1
    nodes[own].end = UInt32(offset)
    nodes[own].next = UInt32(nodes.count)
  }

  /// A member's name with its colon.
  private mutating func scanName(
    _ bytes: [UInt8], into nodes: inout [JSONDocument.Node]
  ) throws(JSONProblem) {
    guard byte(bytes) == UInt8(ascii: "\"") else { throw problem("a key in quotes is needed here") }
    try scanString(bytes, into: &nodes)
    skipBlanks(bytes)
    guard byte(bytes) == UInt8(ascii: ":") else {
      let name = nodes[nodes.count - 1]
      let text = String(decoding: bytes[Int(name.start)..<Int(name.end)], as: UTF8.self)
      throw problem("a colon is needed after the key \"\(text)\"")
    }
    offset += 1
    skipBlanks(bytes)
  }

  private mutating func scanString(
    _ bytes: [UInt8], into nodes: inout [JSONDocument.Node]
  ) throws(JSONProblem) {
    offset += 1
    let start = offset
    var kind = JSONDocument.Kind.string
    while offset < bytes.count {
      let byte = bytes[offset]
      if byte == UInt8(ascii: "\"") {
        append(kind, from: start, to: offset, into: &nodes)
        offset += 1
        return
      }
      guard byte >= 0x20 else { throw problem("a control character inside a text must be escaped") }
      if byte == UInt8(ascii: "\\") {
        kind = .escapedString
        offset += 1
      }
      offset += 1
    }
    offset = bytes.count
    throw problem("the text is not closed")
  }

  private mutating func scanWord(
    _ word: StaticString, _ kind: JSONDocument.Kind, _ bytes: [UInt8], into nodes: inout [JSONDocument.Node]
  ) throws(JSONProblem) {
    let text = "\(word)".utf8
    guard bytes[offset...].starts(with: text) else { throw problem("no JSON value starts here") }
    append(kind, from: offset, to: offset + text.count, into: &nodes)
    offset += text.count
  }

  private mutating func scanNumber(
    _ bytes: [UInt8], into nodes: inout [JSONDocument.Node]
  ) throws(JSONProblem) {
    let start = offset
    if byte(bytes) == UInt8(ascii: "-") { offset += 1 }
    let first = byte(bytes)
    let whole = skipDigits(bytes)
    guard whole == 1 || (whole > 1 && first != UInt8(ascii: "0")) else { throw problem("not a JSON number") }
    if byte(bytes) == UInt8(ascii: ".") {
      offset += 1
      guard skipDigits(bytes) > 0 else { throw problem("digits are needed after the point") }
    }
    if byte(bytes) | 0x20 == UInt8(ascii: "e") {
      offset += 1
      if byte(bytes) == UInt8(ascii: "+") || byte(bytes) == UInt8(ascii: "-") { offset += 1 }
      guard skipDigits(bytes) > 0 else { throw problem("digits are needed in the exponent") }
    }
    append(.number, from: start, to: offset, into: &nodes)
  }

  private mutating func skipDigits(_ bytes: [UInt8]) -> Int {
    let start = offset
    while (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte(bytes)) { offset += 1 }
    return offset - start
  }

  private func append(
    _ kind: JSONDocument.Kind, from start: Int, to end: Int, into nodes: inout [JSONDocument.Node]
  ) {
    nodes.append(
      .init(kind: kind, start: UInt32(start), end: UInt32(end), next: UInt32(nodes.count + 1)))
  }
}
