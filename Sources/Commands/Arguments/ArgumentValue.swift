// Types that an option's text can be read as.

/// A value that can be read from one word of a command line.
protocol ArgumentValue: Sendable {
  /// Reads the word, or answers nil where it is not such a value.
  init?(argument: String)
  /// What a value looks like, for messages: "a whole number".
  static var expectation: String { get }
  /// The value as a user would type it, for help texts.
  var argumentText: String { get }
}

extension String: ArgumentValue {
  init?(argument: String) { self = argument }
  static var expectation: String { "a text" }
  var argumentText: String { self }
}

extension Int: ArgumentValue {
  init?(argument: String) { self.init(argument) }
  static var expectation: String { "a whole number" }
  var argumentText: String { String(self) }
}

extension UInt64: ArgumentValue {
  init?(argument: String) { self.init(argument) }
  static var expectation: String { "a whole number from 0" }
  var argumentText: String { String(self) }
}

extension Double: ArgumentValue {
  init?(argument: String) {
    guard let value = Double(argument), value.isFinite else { return nil }
    self = value
  }
  static var expectation: String { "a number" }
  var argumentText: String { "\(self)" }
}

/// An option that takes one of a few words is an enum of them.
extension ArgumentValue where Self: RawRepresentable & CaseIterable, RawValue == String {
  init?(argument: String) { self.init(rawValue: argument) }
  static var expectation: String { "one of " + allCases.map(\.rawValue).joined(separator: ", ") }
  var argumentText: String { rawValue }
}
