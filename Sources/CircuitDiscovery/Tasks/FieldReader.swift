// Reading JSON fields with the path of each known, so that an error can name it: `templates[2].text`.

import Files

/// A JSON value inside a file, and where it stands.
struct FieldReader {
  let value: JSONValue
  /// The path of the value: `slots.year.numbers[1]`; empty for the whole file.
  let field: String
  private let failure: @Sendable (_ field: String, _ problem: String) -> TaskError

  init(
    _ value: JSONValue, field: String = "",
    failure: @escaping @Sendable (_ field: String, _ problem: String) -> TaskError
  ) {
    self.value = value
    self.field = field
    self.failure = failure
  }

  func error(_ problem: String) -> TaskError { failure(field, problem) }

  private func expected(_ what: String) -> TaskError { error("\(what) is needed, not \(value.kind)") }

  /// The member `key`, nil where absent or null.
  func member(_ key: String) -> FieldReader? {
    guard let value = value[key], value != .null else { return nil }
    return FieldReader(value, field: field.isEmpty ? key : "\(field).\(key)", failure: failure)
  }

  /// The member `key`.
  func required(_ key: String) throws(TaskError) -> FieldReader {
    guard let member = member(key) else { throw error("the field \"\(key)\" is missing") }
    return member
  }

  /// Refuses keys that have no meaning here, which are mistypings more often than not.
  func allowOnly(_ keys: [String]) throws(TaskError) {
    for member in try members() where !keys.contains(member.key) {
      throw error("there is no field \"\(member.key)\" here; known are \(keys.joined(separator: ", "))")
    }
  }

  /// The members of an object, in order.
  func members() throws(TaskError) -> [(key: String, value: FieldReader)] {
    guard case .object(let members) = value else { throw expected("an object") }
    return members.map { member in
      let path = field.isEmpty ? member.key : "\(field).\(member.key)"
      return (member.key, FieldReader(member.value, field: path, failure: failure))
    }
  }

  /// The elements of a list.
  func elements() throws(TaskError) -> [FieldReader] {
    guard case .array(let elements) = value else { throw expected("a list") }
    return elements.enumerated().map {
      FieldReader($0.element, field: "\(field)[\($0.offset)]", failure: failure)
    }
  }

  func text() throws(TaskError) -> String {
    guard case .string(let text) = value else { throw expected("a text") }
    return text
  }

  func integer() throws(TaskError) -> Int {
    guard case .integer(let integer) = value else { throw expected("a whole number") }
    return integer
  }

  func integer(in range: ClosedRange<Int>) throws(TaskError) -> Int {
    let number = try integer()
    guard range.contains(number) else {
      throw error("\(number) is not from \(range.lowerBound) to \(range.upperBound)")
    }
    return number
  }

  func number() throws(TaskError) -> Double {
    switch value {
    case .integer(let integer): return Double(integer)
    case .number(let number): return number
    default: throw expected("a number")
    }
  }

  func boolean() throws(TaskError) -> Bool {
    guard case .boolean(let boolean) = value else { throw expected("true or false") }
    return boolean
  }

  /// A text, or a list of texts.
  func texts() throws(TaskError) -> [String] {
    if case .string(let text) = value { return [text] }
    var texts: [String] = []
    for element in try elements() { texts.append(try element.text()) }
    return texts
  }

  /// `[low, high]`.
  func range() throws(TaskError) -> ClosedRange<Int> {
    let bounds = try elements()
    guard bounds.count == 2 else { throw error("a list of two whole numbers is needed") }
    let (low, high) = (try bounds[0].integer(), try bounds[1].integer())
    guard low <= high else { throw error("\(low) is more than \(high)") }
    return low...high
  }
}
