// Options that every subcommand takes; they are applied before it runs.

import Files
import Tensors

/// Options shared by all subcommands.
enum CommonOptions {
  static let threads = Option<Int>("threads", "N", help: "threads to use; all cores unless given")
  static let limit = Option<LimitSettings>(
    "limit", "NAME=VALUE[,…]", help: "raise what files may ask for; 'headlamp limits' lists the limits")
  static let quiet = Flag("quiet", help: "leave out notes and progress")
  static let json = Flag("json", help: "print one JSON object in place of lines")

  /// Those of a command with options of its own, of which one may be another `--json`.
  static func all(beside own: [any OptionDeclaration]) -> [any OptionDeclaration] {
    let shared: [any OptionDeclaration] = [threads, limit, quiet, json]
    let names = Set(own.map(\.name))
    return shared.filter { !names.contains($0.name) }
  }

  /// The console that the options ask for; a command with a `--json` of its own prints that itself.
  static func console(_ arguments: ParsedArguments, for command: any Subcommand.Type) -> Console {
    let isOwn = command.options.contains { $0.name == json.name }
    return Console(!isOwn && arguments[json] ? .json : .lines, isQuiet: arguments[quiet])
  }

  /// Applies them to the process.
  /// - Throws: `UsageError` for a number of threads below one.
  static func apply(_ arguments: ParsedArguments) throws(UsageError) {
    for (limit, value) in arguments[limit]?.values ?? [:] { limit.set(value) }
    FreeMemory.limit(to: Limit.memory.value)
    guard let count = arguments[threads] else { return }
    guard count > 0 else {
      throw .badValue(option: threads.name, value: "\(count)", expectation: "a whole number from 1")
    }
    Threads.use(count)
  }
}
