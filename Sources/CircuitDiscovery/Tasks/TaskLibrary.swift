// Where tasks are found: the bundled ones by name, anyone's by path.

import FoundationEssentials

/// Finds task specs.
///
/// Bundled specs stay plain files that can be read and edited, so they are not compiled in. They are looked for in
/// this order: the folder named by `HEADLAMP_CIRCUITS`; `../share/headlamp/Circuits` beside the executable, where
/// `make install` puts them; the package's own `Circuits` folder, where the executable was built.
public struct TaskLibrary: Sendable {
  /// The folder with one folder a task; nil where none was found.
  public let folder: String?

  /// A library in a given folder.
  public init(folder: String?) {
    self.folder = folder
  }

  /// The bundled library.
  /// - Parameter executable: the path of the running executable.
  public static func bundled(
    executable: String? = CommandLine.arguments.first,
    environment: [String: String] = ProcessInfo.processInfo.environment
  ) -> TaskLibrary {
    if let named = environment["HEADLAMP_CIRCUITS"], !named.isEmpty { return TaskLibrary(folder: named) }
    var candidates: [String] = []
    let running = (try? FileManager.default.destinationOfSymbolicLink(atPath: "/proc/self/exe")) ?? executable
    if let running, let slash = running.lastIndex(of: "/") {
      candidates.append(running[..<slash] + "/../share/headlamp/Circuits")
    }
    candidates.append(packageFolder + "/Circuits")
    return TaskLibrary(folder: candidates.first { isFolder($0) })
  }

  /// The folder this file was compiled in, three levels above it.
  private static var packageFolder: String {
    #filePath.split(separator: "/").dropLast(4).map { "/" + $0 }.joined()
  }

  /// The names of the tasks in the library, in alphabetical order.
  public var names: [String] {
    guard let folder, let entries = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
      return []
    }
    return entries.filter { FileManager.default.fileExists(atPath: "\(folder)/\($0)/task.json") }.sorted()
  }

  /// Every task in the library.
  public func tasks() throws -> [TaskSpec] {
    try names.map { try task($0) }
  }

  /// The task of a bundled name, or of a path to a folder with a `task.json` or to a spec itself.
  /// - Throws: `TaskError.unknownTask` with the names there are; `FileError` and `TaskError` of the spec.
  public func task(_ nameOrPath: String) throws -> TaskSpec {
    if let folder, names.contains(nameOrPath) {
      return try TaskSpec(path: "\(folder)/\(nameOrPath)/task.json")
    }
    if Self.isFolder(nameOrPath) { return try TaskSpec(path: nameOrPath + "/task.json") }
    if FileManager.default.fileExists(atPath: nameOrPath) { return try TaskSpec(path: nameOrPath) }
    throw TaskError.unknownTask(nameOrPath, known: names)
  }

  private static func isFolder(_ path: String) -> Bool {
    var isFolder = false
    return FileManager.default.fileExists(atPath: path, isDirectory: &isFolder) && isFolder
  }
}
