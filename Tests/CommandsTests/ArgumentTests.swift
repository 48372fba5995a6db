// Splitting command lines, and what is said about the ones that cannot be split.

import Files
import Testing

@testable import Commands

@Suite struct ArgumentTests {
  static let seed = Option<UInt64>("seed", "N", default: 0, help: "the seed")
  static let output = Option<String>("output", "DIR", help: "the folder")
  static let quiet = Flag("quiet", help: "say less")
  static let syntax = Syntax(
    command: "discover", positionals: [Positional("TASK", help: "the task")], options: [seed, output, quiet])

  @Test func valuesFlagsAndPositionals() throws {
    let parsed = try ParsedArguments(["ioi", "--seed=7", "--quiet", "--output", "x"], for: Self.syntax)
    #expect(parsed.positionals == ["ioi"])
    #expect(parsed[Self.seed] == 7)
    #expect(parsed[Self.output] == "x")
    #expect(parsed[Self.quiet])
  }

  @Test(arguments: [
    (["ioi", "--sede", "7"], "discover has no option '--sede'; did you mean '--seed'?"),
    (["ioi", "--seed", "x"], "--seed wants a whole number from 0, not 'x'"),
    (["ioi", "--seed"], "--seed needs a value"),
    (
      ["ioi", "more"],
      "'more' is one argument too many; 'headlamp discover --help' shows what discover takes"
    ),
    ([], "TASK is missing; 'headlamp discover --help' shows an example"),
    (["ioi", "--seed", "1", "--seed", "2"], "--seed was given twice"),
  ])
  func misuse(words: [String], sentence: String) {
    let error = #expect(throws: UsageError.self) { try ParsedArguments(words, for: Self.syntax) }
    #expect(error?.sentence == sentence)
    #expect(error?.exitCode == 2)
  }

  @Test func transpositionsCountOne() {
    #expect(editDistance("idoi", "ioid") == 2)
    #expect(editDistance("ab", "ba") == 1)
  }
}

@Suite struct SubcommandTests {
  @Test func namesAreUnique() {
    #expect(Set(subcommands.map { $0.name }).count == subcommands.count)
  }

  /// Every help text shows an example, and every example is a command line that parses.
  @Test func examplesAreCommandLinesThatParse() throws {
    for command in subcommands {
      #expect(!command.examples.isEmpty, "\(command.name)")
      #expect(helpText(for: command).contains("example"))
      for example in command.examples {
        let words = Self.words(example.line)
        #expect(words.first == "headlamp" && words.dropFirst().first == command.name, "\(example.line)")
        #expect(throws: Never.self, "\(example.line)") {
          let own = Array(words.dropFirst(2))
          return try ParsedArguments(own, for: command.syntax(for: own))
        }
      }
    }
  }

  @Test func optionsAreDeclaredOnceAndExplained() {
    for command in subcommands {
      let names = command.syntax.options.map(\.name)
      #expect(Set(names).count == names.count, "\(command.name)")
      #expect(command.syntax.options.allSatisfy { !$0.help.isEmpty })
    }
  }

  @Test func helpTextsKeepToTheirWidth() {
    for command in subcommands {
      let lines = helpText(for: command).split(separator: "\n")
      // A command line is never broken, so that it can be copied.
      #expect(lines.allSatisfy { $0.count <= 110 || $0.hasPrefix("  headlamp ") }, "\(command.name)")
    }
    #expect("  one two three".wrapped(at: 9) == "  one two\n  three")
    #expect("a\n\nbb cc".wrapped(at: 4) == "a\n\nbb\ncc")
  }

  /// A line split as a shell splits it, as far as the examples need: blanks, single quotes, input from a file.
  static func words(_ line: String) -> [String] {
    var words: [String] = []
    for (index, part) in line.split(separator: "'", omittingEmptySubsequences: false).enumerated() {
      if index % 2 == 1 {
        words.append(String(part))
      } else {
        words += part.split(separator: " ").map(String.init)
      }
    }
    if let redirection = words.firstIndex(of: "<") { words.removeSubrange(redirection...) }
    return words
  }
}
