// headlamp inspect: what a file or folder is.

import Files

/// Describes a model folder, a recording or a task.
enum InspectCommand: Subcommand {
  static let name = "inspect"
  static let summary = "describe a model folder, a recording or a task"
  static var discussion: String {
    """
    Says what a path holds: \(inspections.map { $0.kind }.joined(separator: ", ")). Of a model folder, its
    architecture, which heads its hook points name, and its files; no parameters are read.
    """
  }
  static let positionals = [Positional("PATH", help: "a file or folder")]
  static let options: [any OptionDeclaration] = []
  static let examples = [
    Example("headlamp inspect models/gpt2", "layers, heads, widths, positions and files of a model")
  ]

  static func run(_ arguments: ParsedArguments, console: Console) throws {
    let path = arguments.positionals[0]
    guard fileExists(at: path) else {
      throw FileError.unreadable(path: path, reason: "No such file or directory")
    }
    for inspection in inspections {
      guard let lines = try inspection.describe(path) else { continue }
      for line in lines { console.print(line) }
      return
    }
    throw UnknownKind(path: path)
  }
}

/// A path that is none of the kinds that can be described.
struct UnknownKind: ExplainedError {
  var path: String
  var sentence: String { "\(path) is not \(inspections.map { $0.kind }.joined(separator: " or "))" }
}
