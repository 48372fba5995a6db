// headlamp merge: one result from the parts that --shard made.

import Files
import Recordings

/// Puts parts together.
enum MergeCommand: Subcommand {
  static let name = "merge"
  static let summary = "make one result from the parts that --shard made"
  static let discussion = """
    Takes all N parts of one result, in any order, and makes the result that one run would have made. Parts that are
    missing, damaged, there twice, or made with another seed, model, task or options are named.

    Recordings are joined by a file that points at the parts (an HDF5 virtual dataset, by relative names) and is read as
    any other recording; it holds the parts' digests, and headlamp refuses it where a part is missing or changed. --copy
    writes one file that needs no parts. Of all other commands parts are folders with the values of some prompts, rows or
    cells: merge runs the command again with these values in place of its measurements, and it writes to --output what it
    always writes. Files that were named on the command line must still be there, seen from the folder where merge runs.
    """
  static let positionals = [Positional("SHARD", .repeated, help: "a part: a recording, or a folder")]
  static let output = Option<String>("output", "OUT", help: "the recording or folder to write")
  static let copy = Flag("copy", help: "recordings: copy everything into one file")
  static let options: [any OptionDeclaration] = [output, copy]
  static let examples = [
    Example("headlamp merge part-1.h5 part-2.h5 --output ioi.h5", "a recording in two parts, as one"),
    Example(
      "headlamp merge parts/1 parts/2 parts/3 --output attributed", "what one 'attribute' would have written"),
  ]

  static func run(_ arguments: ParsedArguments, console: Console) throws {
    guard !arguments.positionals.isEmpty else {
      throw UsageError.missingPositional(name: "SHARD", command: name)
    }
    let output = try arguments.required(output)
    let paths = arguments.positionals
    for path in paths where !fileExists(at: path) {
      throw FileError.unreadable(path: path, reason: "there is no such part")
    }
    let areRecordings = paths.map { Recording.isHDF5(at: $0) }
    if areRecordings.allSatisfy({ $0 }) {
      try mergeRecordings(paths, to: output, arguments, console)
      return
    }
    guard !areRecordings.contains(true) else {
      let place = areRecordings.firstIndex(of: false) ?? 0
      throw UsageError.invalid("\(paths[place]) is no recording, and others are; parts are of one kind")
    }
    if arguments[copy] { throw UsageError.invalid("--copy is for recordings") }
    let parts = try paths.map { try ShardFolder(path: $0) }
    let ordered = try orderedShards(parts.map { ($0.path, $0.manifest) }).map { parts[$0] }
    guard let manifest = ordered.first?.manifest,
      let command = subcommands.first(where: { $0.name == manifest.command }) as? any ShardableCommand.Type
    else {
      throw ShardError.notAShard(
        path: parts[0].path,
        problem: "headlamp has no command '\(parts[0].manifest.command)' that works in parts")
    }
    let parsed = try ParsedArguments(["--output=" + output] + manifest.words, for: command.syntax)
    try command.run(parsed, .merged(ordered), console: console)
    console.note("\(ordered.count) parts merged: \(output)")
  }

  /// More files than a process may have open on many systems, less a few.
  private static let manyParts = 1000

  private static func mergeRecordings(
    _ paths: [String], to output: String, _ arguments: ParsedArguments, _ console: Console
  ) throws {
    let merge = try RecordingMerge(paths) { console.progress("checking", $0, of: $1, "parts") }
    if arguments[copy] {
      try merge.copy(to: output) { done, total in
        console.progress("copying", done, of: total, "prompts")
      }
    } else {
      try merge.link(to: output)
    }
    console.endProgress()
    if !arguments[copy], paths.count > manyParts {
      console.note(
        "HDF5 in other programs opens all parts at once, and reads zeros where there are more than a process may open "
          + "('ulimit -n'); --copy writes one file")
    }
    console.note("\(paths.count) parts with \(merge.exampleCount) prompts merged: \(output)")
  }
}
