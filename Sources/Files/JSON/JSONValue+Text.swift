// Writing JSON, either on one line or laid out for people: what fits on a line stays on it.

extension JSONValue {
  /// The value on one line: `{"prompt": "…", "label": 1}`.
  public var line: String {
    switch self {
    case .null: "null"
    case .boolean(let value): value ? "true" : "false"
    case .integer(let value): String(value)
    case .number(let value): value.isFinite ? "\(value)" : "null"
    case .string(let text): quoted(text)
    case .array(let elements): "[" + elements.map(\.line).joined(separator: ", ") + "]"
    case .object(let members):
      "{" + members.map { quoted($0.key) + ": " + $0.value.line }.joined(separator: ", ") + "}"
    }
  }

  /// The value laid out for reading: two-space indent; lists and objects that fit within `width` stay on one
  /// line, and long lists of plain values are filled line by line.
  public func text(width: Int = 110) -> String {
    laidOut(indent: 0, used: 0, width: width) + "\n"
  }

  /// `used` counts the characters already on the line.
  private func laidOut(indent: Int, used: Int, width: Int) -> String {
    let short = line
    if used + short.count < width { return short }
    let margin = String(repeating: " ", count: indent + 2)
    let end = "\n" + String(repeating: " ", count: indent)
    switch self {
    case .array(let elements) where elements.allSatisfy(\.isSmall):
      return "[\n" + margin + filled(elements.map(\.line), indent: indent + 2, width: width) + end + "]"
    case .array(let elements):
      let rows = elements.map { $0.laidOut(indent: indent + 2, used: indent + 2, width: width) }
      return "[\n" + margin + rows.joined(separator: ",\n" + margin) + end + "]"
    case .object(let members):
      let rows = members.map { member in
        let key = quoted(member.key) + ": "
        return key + member.value.laidOut(indent: indent + 2, used: indent + 2 + key.count, width: width)
      }
      return "{\n" + margin + rows.joined(separator: ",\n" + margin) + end + "}"
    default: return short
    }
  }

  /// Whether the value may share a line with its neighbours: anything but an object or a list of lists.
  private var isSmall: Bool {
    switch self {
    case .object: false
    case .string(let text): text.count <= 24
    case .array(let elements): elements.count <= 6 && elements.allSatisfy(\.isPlain)
    default: true
    }
  }

  private var isPlain: Bool {
    switch self {
    case .object, .array: false
    default: true
    }
  }
}

private func filled(_ words: [String], indent: Int, width: Int) -> String {
  var text = ""
  var used = indent
  for (index, word) in words.enumerated() {
    let piece = index == words.count - 1 ? word : word + ","
    if index > 0 {
      if used + 1 + piece.count > width {
        text += "\n" + String(repeating: " ", count: indent)
        used = indent
      } else {
        text += " "
        used += 1
      }
    }
    text += piece
    used += piece.count
  }
  return text
}

private func quoted(_ text: String) -> String {
  var result = "\""
  for scalar in text.unicodeScalars {
    switch scalar {
    case "\"": result += "\\\""
    case "\\": result += "\\\\"
    case "\n": result += "\\n"
    case "\r": result += "\\r"
    case "\t": result += "\\t"
    case "\u{0}"..<"\u{20}":
      let digits = String(scalar.value, radix: 16)
      result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
    default: result.unicodeScalars.append(scalar)
    }
  }
  return result + "\""
}
