// Options that every subcommand takes; they are applied before it runs.

import Files
import Tensors

/// Options shared by all subcommands.
enum CommonOptions {
  static let threads = Option<Int>("threads", "N", help: "threads to use; all cores unless given")
  static let limit = Option<LimitSettings>(
    "limit", "NAME=VALUE[,…]", help: "raise what files may ask for; 'headlamp limits' lists the limits")
  static let all: [any OptionDeclaration] = [threads, limit]

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
