// JSON as a flat list of nodes over the file's bytes: no value is copied until someone asks for it.
//
// A vocabulary of 50,000 tokens with its merges is a quarter of a million values; as nodes of 16 bytes in one array
// they are scanned in a few milliseconds, where a tree of boxed values takes a hundred.

/// A parsed JSON text. Node 0 is the root; a container's children follow it, and `next` skips it whole.
struct JSONDocument: Sendable {
  enum Kind: UInt8, Sendable { case null, false_, true_, number, string, escapedString, array, object }

  /// One value, or one member's name. `start..<end` are the bytes of its text (inside the quotes of a string).
  struct Node: Sendable {
    var kind: Kind
    var start: UInt32
    var end: UInt32
    /// The index after this value and all it contains.
    var next: UInt32
  }

  let bytes: [UInt8]
  private(set) var nodes: [Node] = []

  /// Containers deeper than this are refused: scanning recurses once a level.
  private static let deepest = 128

  /// Scans `bytes`.
  /// - Throws: `TokenizerProblem.notJSON` with the byte offset of the first mistake.
  init(_ bytes: [UInt8]) throws(TokenizerProblem) {
    guard bytes.count < Int(UInt32.max) else { throw .notJSON(offset: 0, expected: "less than 4 GB") }
    self.bytes = bytes
    nodes.reserveCapacity(bytes.count / 12)
    var scanner = JSONScanner(offset: 0)
    scanner.skipBlanks(bytes)
    try scanner.scanValue(bytes, into: &nodes, depthLeft: Self.deepest)
    scanner.skipBlanks(bytes)
    guard scanner.offset == bytes.count else {
      throw .notJSON(offset: scanner.offset, expected: "the end of the text")
    }
  }

  /// The bytes of a string node, escapes resolved.
  func appendString(_ node: Node, to target: inout [UInt8]) throws(TokenizerProblem) {
    let range = Int(node.start)..<Int(node.end)
    if node.kind == .string {
      target.append(contentsOf: bytes[range])
    } else {
      try appendUnescaped(bytes[range], to: &target)
    }
  }

  /// The text of a string node.
  func string(_ node: Node) throws(TokenizerProblem) -> String {
    var text: [UInt8] = []
    try appendString(node, to: &text)
    guard let string = String(validating: text, as: UTF8.self) else {
      throw .notJSON(offset: Int(node.start), expected: "UTF-8")
    }
    return string
  }
}

/// A place in a JSON text, moving forward.
private struct JSONScanner {
  var offset: Int

  private func byte(_ bytes: [UInt8]) -> UInt8 { offset < bytes.count ? bytes[offset] : 0 }

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
  ) throws(TokenizerProblem) {
    switch byte(bytes) {
    case UInt8(ascii: "\""): try scanString(bytes, into: &nodes)
    case UInt8(ascii: "{"): try scanContainer(bytes, .object, into: &nodes, depthLeft: depthLeft)
    case UInt8(ascii: "["): try scanContainer(bytes, .array, into: &nodes, depthLeft: depthLeft)
    case UInt8(ascii: "n"): try scanWord("null", .null, bytes, into: &nodes)
    case UInt8(ascii: "t"): try scanWord("true", .true_, bytes, into: &nodes)
    case UInt8(ascii: "f"): try scanWord("false", .false_, bytes, into: &nodes)
    case UInt8(ascii: "-"), UInt8(ascii: "0")...UInt8(ascii: "9"): scanNumber(bytes, into: &nodes)
    default: throw .notJSON(offset: offset, expected: "a value")
    }
  }

  private mutating func scanContainer(
    _ bytes: [UInt8], _ kind: JSONDocument.Kind, into nodes: inout [JSONDocument.Node], depthLeft: Int
  ) throws(TokenizerProblem) {
    guard depthLeft > 0 else { throw .notJSON(offset: offset, expected: "less nesting") }
    let close = kind == .object ? UInt8(ascii: "}") : UInt8(ascii: "]")
    let own = nodes.count
    nodes.append(.init(kind: kind, start: UInt32(offset), end: 0, next: 0))
    offset += 1
    skipBlanks(bytes)
    if byte(bytes) != close {
      while true {
        if kind == .object {
          guard byte(bytes) == UInt8(ascii: "\"") else {
            throw .notJSON(offset: offset, expected: "a member's name")
          }
          try scanString(bytes, into: &nodes)
          skipBlanks(bytes)
          guard byte(bytes) == UInt8(ascii: ":") else { throw .notJSON(offset: offset, expected: "':'") }
          offset += 1
          skipBlanks(bytes)
        }
        try scanValue(bytes, into: &nodes, depthLeft: depthLeft - 1)
        skipBlanks(bytes)
        if byte(bytes) == close { break }
        guard byte(bytes) == UInt8(ascii: ",") else {
          throw .notJSON(offset: offset, expected: kind == .object ? "',' or '}'" : "',' or ']'")
        }
        offset += 1
        skipBlanks(bytes)
      }
    }
    offset += 1
    nodes[own].end = UInt32(offset)
    nodes[own].next = UInt32(nodes.count)
  }

  private mutating func scanString(
    _ bytes: [UInt8], into nodes: inout [JSONDocument.Node]
  ) throws(TokenizerProblem) {
    offset += 1
    let start = offset
    var kind = JSONDocument.Kind.string
    while offset < bytes.count {
      let byte = bytes[offset]
      if byte == UInt8(ascii: "\"") {
        nodes.append(
          .init(kind: kind, start: UInt32(start), end: UInt32(offset), next: UInt32(nodes.count + 1)))
        offset += 1
        return
      }
      guard byte >= 0x20 else { throw .notJSON(offset: offset, expected: "no control character") }
      if byte == UInt8(ascii: "\\") {
        kind = .escapedString
        offset += 1
      }
      offset += 1
    }
    throw .notJSON(offset: bytes.count, expected: "'\"'")
  }

  private mutating func scanWord(
    _ word: StaticString, _ kind: JSONDocument.Kind, _ bytes: [UInt8], into nodes: inout [JSONDocument.Node]
  ) throws(TokenizerProblem) {
    let text = "\(word)".utf8
    guard bytes[offset...].starts(with: text) else { throw .notJSON(offset: offset, expected: "\(word)") }
    append(kind, text.count, into: &nodes)
  }

  private mutating func scanNumber(_ bytes: [UInt8], into nodes: inout [JSONDocument.Node]) {
    var end = offset + 1
    while end < bytes.count {
      switch bytes[end] {
      case UInt8(ascii: "0")...UInt8(ascii: "9"), UInt8(ascii: "."), UInt8(ascii: "e"), UInt8(ascii: "E"),
        UInt8(ascii: "+"), UInt8(ascii: "-"):
        end += 1
        continue
      default: break
      }
      break
    }
    append(.number, end - offset, into: &nodes)
  }

  private mutating func append(
    _ kind: JSONDocument.Kind, _ length: Int, into nodes: inout [JSONDocument.Node]
  ) {
    nodes.append(
      .init(
        kind: kind, start: UInt32(offset), end: UInt32(offset + length), next: UInt32(nodes.count + 1)))
    offset += length
  }
}
