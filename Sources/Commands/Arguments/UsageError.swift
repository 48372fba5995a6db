// Misuse of the command line: exit code 2.

/// What is wrong with the words that were typed.
enum UsageError: Error, Equatable {
  case unknownCommand(String, nearest: String?)
  case unknownOption(String, nearest: String?, command: String)
  case unexpectedWord(String, command: String)
  case missingPositional(name: String, command: String)
  case missingOption(String)
  case missingValue(option: String)
  case unexpectedValue(option: String)
  case repeatedOption(String)
  case badValue(option: String, value: String, expectation: String)
  /// A combination of options, or a value out of range, that a subcommand refuses.
  case invalid(String)
}

extension UsageError: ExplainedError {
  var exitCode: Int32 { 2 }

  var sentence: String {
    switch self {
    case .unknownCommand(let name, let nearest):
      "there is no command '\(name)'" + suggestion(nearest, or: "'headlamp --help' lists them")
    case .unknownOption(let word, let nearest, let command):
      "\(command) has no option '\(word)'"
        + suggestion(nearest.map { "--" + $0 }, or: "'headlamp \(command) --help' lists them")
    case .unexpectedWord(let word, let command):
      "'\(word)' is one argument too many; 'headlamp \(command) --help' shows what \(command) takes"
    case .missingPositional(let name, let command):
      "\(name) is missing; 'headlamp \(command) --help' shows an example"
    case .missingOption(let name): "--\(name) is needed here"
    case .missingValue(let option): "--\(option) needs a value"
    case .unexpectedValue(let option): "--\(option) takes no value"
    case .repeatedOption(let option): "--\(option) was given twice"
    case .badValue(let option, let value, let expectation):
      "--\(option) wants \(expectation), not '\(value)'"
    case .invalid(let text): text
    }
  }

  private func suggestion(_ nearest: String?, or otherwise: String) -> String {
    nearest.map { "; did you mean '\($0)'?" } ?? "; \(otherwise)"
  }
}
