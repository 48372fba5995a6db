// What can go wrong with a recording, with the values that explain it.

/// A failure to write or read a recording.
public enum RecordingError: Error, Equatable, Sendable {
  /// The file does not exist or may not be read.
  case unreadable(path: String, reason: String)
  /// Another process is writing it; its number, where the system says it.
  case inUse(path: String, process: Int?)
  /// The file could not be created or renamed.
  case unwritable(path: String, reason: String)
  /// The partial file could not be written any further, as on a full disk; what was complete before is still in it.
  case cutShort(path: String, reason: String)
  /// The file is not HDF5, is damaged, or does not hold a recording.
  case malformed(path: String, problem: String)
  /// The recording was interrupted: `recorded` of `examples` are there.
  case unfinished(path: String, recorded: Int, examples: Int)
  /// The file was written by a later version of the layout.
  case unsupportedSchema(path: String, version: Int)
  /// A partial recording of something else stands where this one would be written.
  case differentPartial(path: String, difference: String)
  /// A head output is not a finite number.
  case notFinite(path: String, example: Int)
  /// A file that a merged recording joins is not there, or not what it was.
  case missingPart(path: String, part: String, problem: String)
  /// `finish` was called before every example was written.
  case missingExamples(path: String, count: Int)
}
