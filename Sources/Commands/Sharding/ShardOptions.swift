// --shard I/N, and what a part says of how it was made.

import Files

/// The option of commands whose work can be done in parts.
enum ShardOptions {
  static let shard = Option<Shard>(
    "shard", "I/N", help: "do the I-th of N parts alone, to --output; 'headlamp merge' puts parts together")

  /// Options that concern a part alone, or only what is said of the result.
  static let neutral: Set<String> = [
    shard.name, "output", PromptOptions.model.name, ReportCommand.none.name, ReportCommand.figures.name,
    CommonOptions.threads.name, CommonOptions.limit.name, CommonOptions.quiet.name, CommonOptions.json.name,
  ]
  /// Those of them that are not said again when parts are merged.
  static let notRepeated: Set<String> = [
    shard.name, "output", CommonOptions.threads.name, CommonOptions.limit.name, CommonOptions.quiet.name,
    CommonOptions.json.name,
  ]
}

extension Shard: ArgumentValue {
  init?(argument: String) { self.init(text: argument) }
  static var expectation: String { "a part such as 2/7, from 1/7 to 7/7" }
  var argumentText: String { description }
}

extension ShardManifest {
  /// The manifest of a part that a command makes.
  /// - Parameter facts: what decides the result beside the options.
  /// - Throws: `ShardError.tooManyParts`.
  init(
    _ shard: Shard, of command: any Subcommand.Type, _ arguments: ParsedArguments, unit: String, total: Int,
    facts: [Fact]
  ) throws {
    let own = command.options.filter { !ShardOptions.neutral.contains($0.name) }
    let named = Set(facts.map(\.name))
    let settings = arguments.settings(of: own).filter { !named.contains($0.name) }
    try self.init(
      shard, command: command.name, unit: unit, total: total,
      facts: facts + settings.map { Fact($0.name, $0.value) },
      words: arguments.words(leavingOut: ShardOptions.notRepeated))
  }
}
