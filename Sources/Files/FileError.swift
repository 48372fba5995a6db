// What can go wrong with a file, before anyone looks at what is in it.

/// A failure of the file system, with the path it happened at.
public enum FileError: Error, Equatable, Sendable {
  /// The file could not be opened or read.
  case unreadable(path: String, reason: String)
  /// The file could not be created, written, synchronised or renamed.
  case unwritable(path: String, reason: String)
  /// A folder stands where a file is expected.
  case isFolder(path: String)
  /// A compressed file ends in the middle.
  case truncated(path: String)
  /// A compressed file is not sound.
  case corrupt(path: String, reason: String)
}
