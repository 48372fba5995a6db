// JSON (RFC 8259) as a flat list of nodes over the file's bytes: no value is copied until someone asks for it.
//
// A vocabulary of 50,000 tokens with its merges is a quarter of a million values; as nodes of 16 bytes in one array
// they are scanned in a few milliseconds, where a tree of boxed values takes a hundred. `JSONValue` is the tree, built
// from this list.

/// A scanned JSON text. Node 0 is the root; a container's children follow it, and `next` skips it whole.
package struct JSONDocument: Sendable {
  /// What a node is. A string whose text holds a backslash is kept apart: it has escapes to resolve.
  package enum Kind: UInt8, Sendable {
    case null, false_, true_, number, string, escapedString, array, object
  }

  /// One value, or one member's name. `start..<end` are the bytes of its text (inside the quotes of a string).
  package struct Node: Sendable {
    package var kind: Kind
    package var start: UInt32
    package var end: UInt32
    /// The index after this value and all it contains.
    package var next: UInt32
  }

  /// The text.
  package let bytes: [UInt8]
  /// All values and names in the order of the text.
  package private(set) var nodes: [Node] = []

  /// Scans `bytes`.
  ///
  /// Escapes and UTF-8 are looked at where a text is asked for, and names that stand twice by `JSONValue`.
  /// - Throws: `JSONSyntaxError` at the first mistake.
  package init(_ bytes: [UInt8]) throws(JSONSyntaxError) {
    self.bytes = bytes
    guard bytes.count < Int(UInt32.max) else {
      throw JSONSyntaxError(line: 1, column: 1, problem: "the text is larger than 4 GB")
    }
    nodes.reserveCapacity(bytes.count / 12)
    var scanner = JSONScanner(offset: 0)
    do throws(JSONProblem) {
      scanner.skipBlanks(bytes)
      try scanner.scanValue(bytes, into: &nodes, depthLeft: Limit.nesting.value)
      scanner.skipBlanks(bytes)
      guard scanner.offset == bytes.count else {
        throw JSONProblem(offset: scanner.offset, text: "something stands after the value")
      }
    } catch {
      throw located(error)
    }
  }

  /// The problem with its line and column.
  func located(_ problem: JSONProblem) -> JSONSyntaxError {
    let before = bytes.prefix(problem.offset)
    let line = before.count { $0 == UInt8(ascii: "\n") } + 1
    let start = before.lastIndex(of: UInt8(ascii: "\n")).map { $0 + 1 } ?? 0
    return JSONSyntaxError(line: line, column: before.count - start + 1, problem: problem.text)
  }

  /// Appends the bytes of a string node, escapes resolved.
  /// - Throws: `JSONSyntaxError` for an escape that is none.
  package func appendString(_ node: Node, to target: inout [UInt8]) throws(JSONSyntaxError) {
    let range = Int(node.start)..<Int(node.end)
    if node.kind == .string {
      target.append(contentsOf: bytes[range])
      return
    }
    do throws(JSONProblem) {
      try appendUnescaped(bytes[range], to: &target)
    } catch {
      throw located(error)
    }
  }

  /// The text of a string node.
  /// - Throws: `JSONSyntaxError` for an escape that is none and for bytes that are not UTF-8.
  package func string(_ node: Node) throws(JSONSyntaxError) -> String {
    var text: [UInt8] = []
    try appendString(node, to: &text)
    guard let string = String(validating: text, as: UTF8.self) else {
      throw located(JSONProblem(offset: Int(node.start), text: "the text is not valid UTF-8"))
    }
    return string
  }
}

/// A mistake at a byte of the text.
struct JSONProblem: Error {
  var offset: Int
  var text: String
}
