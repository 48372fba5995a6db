// A command line split into options and positionals, checked against a subcommand's declarations.

import Files

/// The words given to one subcommand.
struct ParsedArguments: Sendable {
  private var valuesByName: [String: String] = [:]
  private var flags: Set<String> = []
  /// Positional words in order.
  private(set) var positionals: [String] = []
  /// Whether `--help` or `-h` stood anywhere.
  private(set) var asksForHelp = false

  /// Splits `words`, refusing what `syntax` does not declare.
  /// - Throws: `UsageError`, with the nearest declared name where one is near.
  init(_ words: [String], for syntax: Syntax) throws(UsageError) {
    var rest = words[...]
    var onlyPositionals = false
    while let word = rest.popFirst() {
      if onlyPositionals || !word.hasPrefix("-") || word == "-" {
        positionals.append(word)
      } else if word == "--" {
        onlyPositionals = true
      } else if word == "--help" || word == "-h" {
        asksForHelp = true
      } else {
        try take(word, &rest, syntax)
      }
    }
    if asksForHelp { return }
    let required = syntax.positionals.filter { $0.count == .required }
    if positionals.count < required.count {
      throw .missingPositional(name: required[positionals.count].name, command: syntax.command)
    }
    let takesMore = syntax.positionals.contains { $0.count == .repeated }
    if !takesMore, positionals.count > syntax.positionals.count {
      throw .unexpectedWord(positionals[syntax.positionals.count], command: syntax.command)
    }
  }

  private mutating func take(
    _ word: String, _ rest: inout ArraySlice<String>, _ syntax: Syntax
  ) throws(UsageError) {
    let body = word.drop { $0 == "-" }
    let name = String(body.prefix { $0 != "=" })
    guard word.hasPrefix("--"), let option = syntax.options.first(where: { $0.name == name }) else {
      let nearest = nearestWord(to: name, among: syntax.options.map(\.name))
      throw .unknownOption(word, nearest: nearest, command: syntax.command)
    }
    let inline = body.contains("=") ? String(body.drop { $0 != "=" }.dropFirst()) : nil
    guard option.valueName != nil else {
      guard inline == nil else { throw .unexpectedValue(option: name) }
      flags.insert(name)
      return
    }
    guard let value = inline ?? rest.popFirst() else { throw .missingValue(option: name) }
    if let expectation = option.problem(with: value) {
      throw .badValue(option: name, value: value, expectation: expectation)
    }
    guard valuesByName.updateValue(value, forKey: name) == nil else { throw .repeatedOption(name) }
  }

  /// The option's value, or its default; nil where there is neither.
  subscript<Value>(_ option: Option<Value>) -> Value? {
    valuesByName[option.name].flatMap { Value(argument: $0) } ?? option.defaultValue
  }

  /// The option's value, or its default.
  /// - Throws: `UsageError.missingOption` where there is neither.
  func required<Value>(_ option: Option<Value>) throws(UsageError) -> Value {
    guard let value = self[option] else { throw .missingOption(option.name) }
    return value
  }

  /// Whether the option was given on the command line.
  func isGiven(_ option: any OptionDeclaration) -> Bool {
    valuesByName[option.name] != nil || flags.contains(option.name)
  }

  /// Refuses an output file that is one of the inputs, which would be gone.
  func refuseOverwritingInputs() throws(UsageError) {
    guard let output = valuesByName["output"], fileExists(at: output), !isFolder(output),
      let identity = FileIdentity(path: output)
    else { return }
    let others = valuesByName.filter { $0.key != "output" }.map(\.value).sorted()
    for word in positionals + others where FileIdentity(path: word) == identity {
      throw .invalid("--output \(output) would replace \(word), which is read: name another file")
    }
  }

  /// What every option of a command was set to, given or not, as text; flags are `on` or `off`.
  func settings(of options: [any OptionDeclaration]) -> [(name: String, value: String)] {
    options.map { option in
      guard option.valueName != nil else { return (option.name, flags.contains(option.name) ? "on" : "off") }
      return (option.name, valuesByName[option.name] ?? option.defaultText ?? "")
    }
  }

  /// The words that say the same again, without some options.
  func words(leavingOut names: Set<String>) -> [String] {
    let options = valuesByName.map { "--\($0.key)=\($0.value)" }.sorted() + flags.map { "--\($0)" }.sorted()
    let kept = options.filter { word in
      !names.contains(String(word.dropFirst(2).prefix { $0 != "=" }))
    }
    return kept + ["--"] + positionals
  }

  /// Whether the flag was given.
  subscript(_ flag: Flag) -> Bool { flags.contains(flag.name) }
}

/// What one subcommand accepts.
struct Syntax: Sendable {
  var command: String
  var positionals: [Positional]
  var options: [any OptionDeclaration]
}
