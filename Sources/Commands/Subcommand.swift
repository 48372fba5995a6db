// What every subcommand is: a name, what it accepts, and what it does.

/// One subcommand of `headlamp`; one file each under Subcommands.
protocol Subcommand {
  /// The word typed after `headlamp`.
  static var name: String { get }
  /// One line for the list of commands.
  static var summary: String { get }
  /// A paragraph or two for `--help`: what it reads, does and writes.
  static var discussion: String { get }
  static var positionals: [Positional] { get }
  static var options: [any OptionDeclaration] { get }
  /// Command lines that work as they stand, each with what it shows.
  static var examples: [Example] { get }

  /// What is left where the command is interrupted, and how to go on.
  static func leftBehind(_ arguments: ParsedArguments) -> String

  /// What a command line may hold; it depends on the words for a command that takes another's.
  static func syntax(for words: [String]) throws(UsageError) -> Syntax

  /// Runs the subcommand; what it prints goes through `console`.
  static func run(_ arguments: ParsedArguments, console: Console) throws
}

/// A command line for a help text.
struct Example: Sendable {
  var line: String
  var shows: String

  init(_ line: String, _ shows: String) {
    self.line = line
    self.shows = shows
  }
}

extension Subcommand {
  static func leftBehind(_ arguments: ParsedArguments) -> String {
    "files that were written are whole, others are missing; run the same command again"
  }

  static func syntax(for words: [String]) throws(UsageError) -> Syntax { syntax }

  /// What the command line of this subcommand may hold: its own options and those of every subcommand.
  static var syntax: Syntax {
    Syntax(command: name, positionals: positionals, options: options + CommonOptions.all(beside: options))
  }
}
