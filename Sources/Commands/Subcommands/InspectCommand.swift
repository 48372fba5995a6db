// headlamp inspect: what a file or folder is.

import CircuitDiscovery
import Files

/// Describes a model folder, a recording, an autoencoder, a task or a file of prompts.
enum InspectCommand: Subcommand {
  static let name = "inspect"
  static let summary = "describe a model folder, a recording, an autoencoder, a task or prompts"
  static var discussion: String {
    """
    Says what a path holds: \(inspections.map { $0.kind }.joined(separator: ", ")). Of a model folder, its
    architecture, which heads its hook points name, and its files; no parameters are read.
    """
  }
  static let positionals = [Positional("PATH", help: "a file or folder, or the name of a bundled task")]
  static let options: [any OptionDeclaration] = []
  static let examples = [
    Example("headlamp inspect models/gpt2", "layers, heads, widths, positions and files of a model"),
    Example("headlamp inspect ioi", "templates, answers and ground truths of a task"),
  ]

  static func run(_ arguments: ParsedArguments, console: Console) throws {
    let path = bundledTask(arguments.positionals[0]) ?? arguments.positionals[0]
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

  /// The folder of a bundled task of this name, where nothing else has it.
  private static func bundledTask(_ name: String) -> String? {
    let library = TaskLibrary.bundled()
    guard !fileExists(at: name), let folder = library.folder, library.names.contains(name) else { return nil }
    return folder + "/" + name
  }
}

/// A path that is none of the kinds that can be described.
struct UnknownKind: ExplainedError {
  var path: String
  var sentence: String {
    let kinds = inspections.map { $0.kind }.joined(separator: ", ")
    guard isFolder(path) else { return "\(path) is a file of another kind than \(kinds)" }
    let names = entries(of: path)
    let found =
      names.isEmpty
      ? "is an empty folder"
      : "is a folder with " + names.prefix(6).joined(separator: ", ") + (names.count > 6 ? ", …" : "")
    return "\(path) \(found): no config.json and no task.json, so neither a model folder nor a task"
  }
}
