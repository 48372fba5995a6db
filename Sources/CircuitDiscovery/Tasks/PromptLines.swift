// Writing prompts as JSON lines: `{"prompt": "…", "label": 1, "answer": " Mary", "wrong": [" John"]}`.

import Files

extension Prompt {
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
      // A list by itself would be several answers.
      let isAlone = if case .tokens = answer { false } else { answers.count == 1 }
      members.append(JSONMember("answer", isAlone ? answer.jsonValue : all))
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
    case .tokens(let tokens): .array(tokens.map { .integer($0) })
    }
  }
}

/// The text of a JSON-lines file: one prompt a line.
public func promptLines(_ prompts: [Prompt]) -> String {
  prompts.map { $0.jsonValue.line + "\n" }.joined()
}
