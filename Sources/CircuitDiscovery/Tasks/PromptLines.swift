// Prompts as JSON lines: `{"prompt": "…", "label": 1, "answer": " Mary", "wrong": [" John"]}`.

import Files

extension Prompt {
  private static let fields = ["prompt", "tokens", "label", "answer", "wrong", "pair", "positions"]

  init(_ line: FieldReader) throws(TaskError) {
    try line.allowOnly(Self.fields)
    switch (line.member("prompt"), line.member("tokens")) {
    case (let text?, nil): content = .text(try text.text())
    case (nil, let tokens?):
      var ids: [Int] = []
      for token in try tokens.elements() { ids.append(try token.integer(in: 0...Int(Int32.max))) }
      content = .tokens(ids)
    case (nil, nil): throw line.error("either \"prompt\" or \"tokens\" is needed")
    case (.some, .some): throw line.error("\"prompt\" and \"tokens\" exclude each other")
    }
    isPositive = try line.required("label").integer(in: 0...1) == 1
    answers = try line.member("answer").map(Self.continuations) ?? []
    wrong = try line.member("wrong").map(Self.continuations) ?? []
    pair = try line.member("pair").map { reader throws(TaskError) in
      try reader.integer(in: 0...Int(Int32.max))
    }
    positions = [:]
    for (name, index) in try line.member("positions")?.members() ?? [] {
      positions[name] = try index.integer()
    }
  }

  private static func continuations(_ reader: FieldReader) throws(TaskError) -> [Continuation] {
    if case .array = reader.value {
      var list: [Continuation] = []
      for element in try reader.elements() { list.append(try continuation(element)) }
      return list
    }
    return [try continuation(reader)]
  }

  private static func continuation(_ reader: FieldReader) throws(TaskError) -> Continuation {
    if case .integer = reader.value { return .token(try reader.integer(in: 0...Int(Int32.max))) }
    return .text(try reader.text())
  }

  /// The prompt as a JSON value, with the fields of a line in their usual order.
  public var jsonValue: JSONValue {
    var members: [JSONMember] = []
    switch content {
    case .text(let text): members.append(JSONMember("prompt", .string(text)))
    case .tokens(let tokens): members.append(JSONMember("tokens", .array(tokens.map { .integer($0) })))
    }
    members.append(JSONMember("label", .integer(isPositive ? 1 : 0)))
    if let answer = answers.first {
      let all = JSONValue.array(answers.map(\.jsonValue))
      members.append(JSONMember("answer", answers.count == 1 ? answer.jsonValue : all))
    }
    if !wrong.isEmpty { members.append(JSONMember("wrong", .array(wrong.map(\.jsonValue)))) }
    if let pair { members.append(JSONMember("pair", .integer(pair))) }
    if !positions.isEmpty {
      let ordered = positions.sorted { ($0.value, $0.key) < ($1.value, $1.key) }
      members.append(JSONMember("positions", .object(ordered.map { JSONMember($0.key, .integer($0.value)) })))
    }
    return .object(members)
  }
}

extension Prompt.Continuation {
  fileprivate var jsonValue: JSONValue {
    switch self {
    case .text(let text): .string(text)
    case .token(let token): .integer(token)
    }
  }
}

/// Reads a JSON-lines file of prompts; blank lines are skipped.
/// - Throws: `FileError`, or `TaskError.badLine` with the line; `noPrompts` for a file without any.
public func readPrompts(at path: String) throws -> [Prompt] {
  try parsePrompts(readText(at: path), path: path)
}

/// Reads prompts from the text of a JSON-lines file; `path` is for messages.
public func parsePrompts(_ text: String, path: String) throws(TaskError) -> [Prompt] {
  var prompts: [Prompt] = []
  let lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
  for (index, line) in lines.enumerated()
  where line.contains(where: { !$0.isWhitespace }) {
    let value: JSONValue
    do {
      value = try JSONValue(parsing: String(line))
    } catch {
      throw .badLine(path: path, line: index + 1, problem: "column \(error.column): \(error.problem)")
    }
    let reader = FieldReader(value) { field, problem in
      .badLine(path: path, line: index + 1, problem: field.isEmpty ? problem : "\(field): \(problem)")
    }
    prompts.append(try Prompt(reader))
  }
  guard !prompts.isEmpty else { throw .noPrompts(source: path) }
  return prompts
}

/// The text of a JSON-lines file: one prompt a line.
public func promptLines(_ prompts: [Prompt]) -> String {
  prompts.map { $0.jsonValue.line + "\n" }.joined()
}
