// JSON with the order of its keys kept, for files that people write by hand and tools write back.

/// A JSON value. Objects keep the order of their keys.
public enum JSONValue: Equatable, Sendable {
  case null
  case boolean(Bool)
  /// A number without fraction or exponent that fits into `Int`.
  case integer(Int)
  case number(Double)
  case string(String)
  case array([JSONValue])
  case object([JSONMember])

  /// The value of the first member named `key`; nil for anything but an object that has it.
  public subscript(key: String) -> JSONValue? {
    guard case .object(let members) = self else { return nil }
    return members.first { $0.key == key }?.value
  }

  /// What kind of value this is, for messages: "a text", "a list".
  public var kind: String {
    switch self {
    case .null: "null"
    case .boolean: "true or false"
    case .integer: "a whole number"
    case .number: "a number"
    case .string: "a text"
    case .array: "a list"
    case .object: "an object"
    }
  }
}

/// One `"key": value` of an object.
public struct JSONMember: Equatable, Sendable {
  /// The key, unescaped.
  public var key: String
  /// What stands after the colon.
  public var value: JSONValue

  /// A member of an object.
  public init(_ key: String, _ value: JSONValue) {
    self.key = key
    self.value = value
  }
}

/// Text that is not JSON.
public struct JSONSyntaxError: Error, Equatable, Sendable {
  /// The line, from 1.
  public var line: Int
  /// The column in bytes, from 1.
  public var column: Int
  /// What is wrong there.
  public var problem: String
}
