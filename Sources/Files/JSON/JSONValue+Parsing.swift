// The tree of a JSON text, for files small enough that each value may be boxed.

extension JSONValue {
  /// Parses one JSON value that fills `text`.
  /// - Throws: `JSONSyntaxError` with the line and column, also for a key given twice in one object.
  public init(parsing text: String) throws(JSONSyntaxError) {
    let document = try JSONDocument(Array(text.utf8))
    var index = 0
    self = try document.value(&index)
  }
}

extension JSONDocument {
  /// The value at `index`, which then stands after it.
  fileprivate func value(_ index: inout Int) throws(JSONSyntaxError) -> JSONValue {
    let node = nodes[index]
    index += 1
    switch node.kind {
    case .null: return .null
    case .false_: return .boolean(false)
    case .true_: return .boolean(true)
    case .string, .escapedString: return .string(try string(node))
    case .number: return try number(node)
    case .array:
      var elements: [JSONValue] = []
      while index < Int(node.next) { elements.append(try value(&index)) }
      return .array(elements)
    case .object:
      var members: [JSONMember] = []
      var keys: Set<String> = []
      while index < Int(node.next) {
        let name = nodes[index]
        let key = try string(name)
        guard keys.insert(key).inserted else {
          throw located(
            JSONProblem(offset: Int(name.end) + 1, text: "the key \"\(key)\" stands twice in one object"))
        }
        index += 1
        members.append(JSONMember(key, try value(&index)))
      }
      return .object(members)
    }
  }

  private func number(_ node: Node) throws(JSONSyntaxError) -> JSONValue {
    let digits = bytes[Int(node.start)..<Int(node.end)]
    let text = String(decoding: digits, as: UTF8.self)
    let isWhole = !digits.contains { $0 == UInt8(ascii: ".") || $0 | 0x20 == UInt8(ascii: "e") }
    if isWhole, let integer = Int(text) { return .integer(integer) }
    guard let value = Double(text), value.isFinite else {
      throw located(JSONProblem(offset: Int(node.end), text: "the number \(text) is out of range"))
    }
    return .number(value)
  }
}
