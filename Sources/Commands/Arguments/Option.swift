// What a subcommand accepts, as values: the same declarations drive parsing, help and suggestions.

/// An option with a value: `--name VALUE` or `--name=VALUE`.
struct Option<Value: ArgumentValue>: Sendable {
  var name: String
  var placeholder: String
  var defaultValue: Value?
  var help: String

  init(_ name: String, _ placeholder: String, default defaultValue: Value? = nil, help: String) {
    self.name = name
    self.placeholder = placeholder
    self.defaultValue = defaultValue
    self.help = help
  }
}

/// An option without a value: `--name`.
struct Flag: Sendable {
  var name: String
  var help: String

  init(_ name: String, help: String) {
    self.name = name
    self.help = help
  }
}

/// An argument known by its place.
struct Positional: Sendable {
  enum Count: Sendable { case required, optional, repeated }
  var name: String
  var count: Count
  var help: String

  init(_ name: String, _ count: Count = .required, help: String) {
    self.name = name
    self.count = count
    self.help = help
  }
}

/// What parsing and help need of an option, whatever its value's type.
protocol OptionDeclaration: Sendable {
  var name: String { get }
  /// The word that stands for the value in help texts; nil where there is no value.
  var valueName: String? { get }
  var defaultText: String? { get }
  var help: String { get }
  /// Nil where `text` can be read, else what was expected.
  func problem(with text: String) -> String?
}

extension Option: OptionDeclaration {
  var valueName: String? { placeholder }
  var defaultText: String? { defaultValue?.argumentText }
  func problem(with text: String) -> String? { Value(argument: text) == nil ? Value.expectation : nil }
}

extension Flag: OptionDeclaration {
  var valueName: String? { nil }
  var defaultText: String? { nil }
  func problem(with text: String) -> String? { nil }
}
