// A command line cut into parts: what each part's own command line is, and that of the merge.

import Files

/// A command that several processes do together.
struct PartedCommand {
  /// The subcommand.
  let command: any Subcommand.Type
  /// How many parts there are.
  let count: Int
  /// Where the result goes.
  let output: String
  /// The command line, without its output.
  private let words: [String]

  /// The subcommands whose work can be done in parts.
  static var possible: [any Subcommand.Type] {
    subcommands.filter { command in command.options.contains { $0.name == ShardOptions.shard.name } }
  }

  /// The subcommand that a line names.
  /// - Throws: `UsageError` where there is none, or it has no parts.
  static func command(of words: [String]) throws(UsageError) -> any Subcommand.Type {
    let names = Set(subcommands.map { $0.name })
    guard let name = words.first(where: { names.contains($0) }) ?? words.first(where: { !$0.hasPrefix("-") })
    else {
      throw .missingPositional(name: "COMMAND", command: SlurmCommand.name)
    }
    guard let command = possible.first(where: { $0.name == name }) else {
      throw .invalid(
        "'\(name)' does not work in parts; \(possible.map { $0.name }.joined(separator: ", ")) do")
    }
    return command
  }

  /// A command line in so many parts.
  /// - Parameter arguments: parsed with the subcommand's own syntax, among others; its name is the first positional.
  /// - Throws: `UsageError` for what cannot be done in parts.
  init(_ command: any Subcommand.Type, _ arguments: ParsedArguments, count: Int, leavingOut own: Set<String>)
    throws(UsageError)
  {
    guard (1...Shard.mostParts).contains(count) else {
      throw .invalid("a number of parts is from 1 to \(Shard.mostParts), not \(count)")
    }
    guard !arguments.isGiven(ShardOptions.shard) else {
      throw .invalid("--shard is given to each part, so leave it out")
    }
    let name = Option<String>("output", "OUT", help: "")
    guard arguments.isGiven(name), let output = arguments[name], !output.isEmpty else {
      throw .missingOption(name.name)
    }
    guard !arguments.positionals.contains("-") else {
      throw .invalid("standard input cannot be read by several processes; name a file")
    }
    let kept = Self.ownWords(arguments, leavingOut: own.union([name.name]))
    self.command = command
    self.count = count
    self.output = output
    words = kept
    // What is wrong with the command line is said here, not by every part.
    _ = try ParsedArguments(["--output=\(output)"] + kept, for: command.syntax)
  }

  /// The subcommand's own words, of a line whose first positional is its name.
  static func ownWords(_ arguments: ParsedArguments, leavingOut names: Set<String>) -> [String] {
    var words = arguments.words(leavingOut: names)
    if let place = words.firstIndex(of: "--").map({ $0 + 1 }), place < words.count { words.remove(at: place) }
    return words
  }

  /// The folder of the parts.
  var folder: String { output + ".parts" }

  /// Where a part goes. Its name says of how many, so that parts of another cut are never taken for these.
  func path(of part: String) -> String {
    "\(folder)/\(part)-of-\(count)" + (command == RecordCommand.self ? ".h5" : "")
  }

  /// The words behind `headlamp` for a part.
  /// - Parameter part: its number, or what a shell puts in its place.
  func words(part: String) -> [String] {
    [command.name, "--shard=\(part)/\(count)", "--output=\(path(of: part))"] + words
  }

  /// The words behind `headlamp` for the merge.
  var mergeWords: [String] {
    [MergeCommand.name, "--output=\(output)", "--"] + (1...count).map { path(of: String($0)) }
  }
}
