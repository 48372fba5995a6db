// Asking a model's document for what must be there, with messages that name the member.

import Files

extension JSONValue {
  func member(_ key: String) throws(ModelProblem) -> JSONValue {
    guard let value = self[key] else { throw .malformed("there is no \"\(key)\"") }
    return value
  }

  func text(_ key: String) throws(ModelProblem) -> String {
    guard case .string(let text) = try member(key) else { throw .malformed("\"\(key)\" is not a text") }
    return text
  }

  func list(_ key: String) throws(ModelProblem) -> [JSONValue] {
    guard case .array(let elements) = try member(key) else { throw .malformed("\"\(key)\" is not a list") }
    return elements
  }

  /// A list of numbers; true counts as 1, as some versions write flags, and null is NaN.
  func numbers(_ key: String) throws(ModelProblem) -> [Double] {
    var numbers: [Double] = []
    let elements = try list(key)
    numbers.reserveCapacity(elements.count)
    for element in elements {
      switch element {
      case .integer(let value): numbers.append(Double(value))
      case .number(let value): numbers.append(value)
      case .boolean(let value): numbers.append(value ? 1 : 0)
      case .null: numbers.append(.nan)
      default: throw .malformed("\"\(key)\" holds \(element.kind) where numbers are needed")
      }
    }
    return numbers
  }

  /// A list of whole numbers that fit into 32 bits.
  func integers(_ key: String) throws(ModelProblem) -> [Int] {
    var integers: [Int] = []
    for number in try numbers(key) {
      guard let value = Int32(exactly: number) else {
        throw .malformed("\"\(key)\" holds the number \(number)")
      }
      integers.append(Int(value))
    }
    return integers
  }

  func texts(_ key: String) throws(ModelProblem) -> [String] {
    var texts: [String] = []
    for element in try list(key) {
      guard case .string(let text) = element else { throw .malformed("\"\(key)\" holds \(element.kind)") }
      texts.append(text)
    }
    return texts
  }

  /// A whole number, possibly written as a text, as XGBoost writes its parameters.
  func count(_ key: String) throws(ModelProblem) -> Int {
    switch try member(key) {
    case .integer(let value) where value >= 0: return value
    case .string(let text):
      if let value = Int(text), value >= 0 { return value }
      throw .malformed("\"\(key)\" is \"\(text)\" where a number is needed")
    default: throw .malformed("\"\(key)\" is not a whole number")
    }
  }
}
