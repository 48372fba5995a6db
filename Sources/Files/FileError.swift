// What can go wrong with a file, before anyone looks at what is in it.

/// A failure of the file system, with the path it happened at.
public enum FileError: Error, Equatable, Sendable {
  /// The file could not be opened or read.
  case unreadable(path: String, reason: String)
  /// The file could not be created, written, synchronised or renamed.
  case unwritable(path: String, reason: String)
  /// A folder stands where a file is expected.
  case isFolder(path: String)
  /// Another process is writing it; its number, where the system says it.
  case inUse(path: String, process: Int?)
  /// It asks for more than a limit allows; how much, where it says so.
  case overLimit(path: String, limit: Limit, asked: Int?, of: String)
  /// A compressed file ends in the middle.
  case truncated(path: String)
  /// A compressed file is not sound.
  case corrupt(path: String, reason: String)
}
