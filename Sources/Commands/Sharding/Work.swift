// How much of a command's work is done here: all, one part, or none, where parts are put together.

import Files

/// What a command that can work in parts measures.
protocol ShardedValues {
  /// Writes the values into a part's folder, each file whole.
  /// - Returns: the files' names.
  func write(to folder: String) throws -> [String]
  /// Reads what `write` wrote.
  init(part: ShardFolder) throws
  /// The values of consecutive parts as those of one run.
  static func joined(_ parts: [Self]) throws -> Self
}

/// Where a command's values come from.
enum Work {
  /// One run measures all.
  case whole
  /// This process measures a part.
  case part(Shard)
  /// Parts have measured all.
  case merged([ShardFolder])

  /// Whether nothing but a part's values is to be written.
  var isPart: Bool { if case .part = self { true } else { false } }

  /// All values; nil where only a part of them was measured, and written to `--output`.
  ///
  /// - Parameters:
  ///   - unit: what parts are made of, in the plural.
  ///   - total: how many of these there are.
  ///   - facts: what decides the values beside the options.
  ///   - measure: measures some units.
  /// - Throws: what `measure` throws; `ShardError`.
  func values<Values: ShardedValues>(
    of command: any ShardableCommand.Type, _ arguments: ParsedArguments, _ unit: String, total: Int,
    facts: @autoclosure () throws -> [ShardManifest.Fact], console: Console,
    measure: (Range<Int>) throws -> Values
  ) throws -> Values? {
    func manifest(_ shard: Shard) throws -> ShardManifest {
      try ShardManifest(
        shard, of: command, arguments, unit: unit, total: total, facts: facts())
    }
    switch self {
    case .whole: return try measure(0..<total)
    case .part(let shard):
      guard let folder = arguments[Option<String>("output", "DIR", help: "")] else {
        throw UsageError.invalid("--shard needs --output, a folder for the part")
      }
      guard !arguments.positionals.contains("-") else {
        throw UsageError.invalid(
          "--shard needs a file: what standard input held cannot be read again when parts are merged")
      }
      let manifest = try manifest(shard)
      if ShardFolder.isThere(folder), let found = try? ShardFolder(path: folder), found.manifest == manifest {
        console.note("part \(shard) is there already: \(folder)")
        return nil
      }
      try claimFolder(folder)
      let values = try measure(manifest.range)
      try ShardFolder.seal(folder, manifest, files: values.write(to: folder))
      console.endProgress()
      console.note(
        "part \(shard), \(manifest.range.count) of \(total) \(unit): \(folder)")
      return nil
    case .merged(let parts):
      if let first = parts.first,
        let difference = try first.manifest.difference(from: manifest(first.manifest.shard))
      {
        throw ShardError.changed(path: first.path, difference: difference)
      }
      return try Values.joined(parts.map { try Values(part: $0) })
    }
  }
}

/// A subcommand whose work can be done in parts.
protocol ShardableCommand: Subcommand {
  /// Runs the subcommand on values that are measured here or were measured by parts.
  static func run(_ arguments: ParsedArguments, _ work: Work, console: Console) throws
}

extension ShardableCommand {
  static func run(_ arguments: ParsedArguments, console: Console) throws {
    try run(arguments, arguments[ShardOptions.shard].map { .part($0) } ?? .whole, console: console)
  }
}
