// A JSON value that knows where it stands, so that every complaint can name it.

import Files

/// One value of a document, with its path from the root (`decoder.decoders[1].type`).
struct JSONField: Sendable {
  let document: JSONDocument
  let index: Int
  let path: String

  /// The document's root, whose path is empty.
  init(root document: JSONDocument) {
    self.init(document: document, index: 0, path: "")
  }

  private init(document: JSONDocument, index: Int, path: String) {
    self.document = document
    self.index = index
    self.path = path
  }

  var node: JSONDocument.Node { document.nodes[index] }

  /// The member of that name; nil where it is absent or null. The last of equal names counts.
  func member(_ name: String) throws(TokenizerProblem) -> JSONField? {
    let found = try members().last { $0.name == name }?.value
    return found?.node.kind == .null ? nil : found
  }

  /// The member of that name.
  /// - Throws: `TokenizerProblem.missing`.
  func required(_ name: String) throws(TokenizerProblem) -> JSONField {
    guard let field = try member(name) else { throw .missing(field: childPath(name)) }
    return field
  }

  /// All members, with the nodes of nulls among them.
  func members() throws(TokenizerProblem) -> [(name: String, value: JSONField)] {
    guard node.kind == .object else { throw .wrongValue(field: path, expected: "an object") }
    var result: [(name: String, value: JSONField)] = []
    var child = index + 1
    while child < Int(node.next) {
      let name = try document.text(document.nodes[child])
      let value = JSONField(document: document, index: child + 1, path: childPath(name))
      result.append((name, value))
      child = Int(value.node.next)
    }
    return result
  }

  /// All elements of an array.
  func elements() throws(TokenizerProblem) -> [JSONField] {
    guard node.kind == .array else { throw .wrongValue(field: path, expected: "an array") }
    var result: [JSONField] = []
    var child = index + 1
    while child < Int(node.next) {
      let element = JSONField(document: document, index: child, path: "\(path)[\(result.count)]")
      result.append(element)
      child = Int(element.node.next)
    }
    return result
  }

  /// The value as a text.
  func string() throws(TokenizerProblem) -> String {
    guard node.kind == .string || node.kind == .escapedString else {
      throw .wrongValue(field: path, expected: "a text")
    }
    return try document.text(node)
  }

  /// The value as a whole number from 0 to 2³¹ − 1.
  func count() throws(TokenizerProblem) -> Int {
    guard node.kind == .number,
      let value = Int32(String(decoding: document.bytes[Int(node.start)..<Int(node.end)], as: UTF8.self)),
      value >= 0
    else { throw .wrongValue(field: path, expected: "a whole number from 0") }
    return Int(value)
  }

  /// The value as a number; nil where it is none.
  var number: Double? {
    guard node.kind == .number else { return nil }
    return Double(String(decoding: document.bytes[Int(node.start)..<Int(node.end)], as: UTF8.self))
  }

  /// The value as true or false.
  func bool() throws(TokenizerProblem) -> Bool {
    switch node.kind {
    case .true_: return true
    case .false_: return false
    default: throw .wrongValue(field: path, expected: "true or false")
    }
  }

  /// The value as one of an enum's words.
  func word<Word: RawRepresentable>(
    as type: Word.Type
  ) throws(TokenizerProblem) -> Word where Word.RawValue == String {
    let text = try string()
    guard let word = Word(rawValue: text) else { throw .unsupported(field: path, value: text) }
    return word
  }

  /// The member `name` as true or false, or `absent` where it is missing or null.
  func bool(_ name: String, absent: Bool) throws(TokenizerProblem) -> Bool {
    try member(name)?.bool() ?? absent
  }

  /// Refuses members that are not among `names`: a setting that is not known might change the result.
  func allowOnly(_ names: Set<String>) throws(TokenizerProblem) {
    for (name, value) in try members() where !names.contains(name) && value.node.kind != .null {
      throw .unsupported(field: value.path, value: value.shownValue)
    }
  }

  /// The beginning of the value's own text, for messages.
  var shownValue: String {
    let text = String(decoding: document.bytes[Int(node.start)..<Int(node.end)].prefix(60), as: UTF8.self)
    return node.end - node.start > 60 ? text + "…" : text
  }

  private func childPath(_ name: String) -> String { path.isEmpty ? name : path + "." + name }
}
