// Files for readers that want a path, in memory.

import Files
import Foundation

/// A folder of an input's own, removed with this object.
final class Scratch {
  private var made: String?

  /// The folder's path.
  var folder: String {
    if let made { return made }
    // Memory, where there is a file system in it: a disk would be the slowest part.
    let base = FileManager.default.fileExists(atPath: "/dev/shm") ? "/dev/shm" : NSTemporaryDirectory()
    let path = base + "/headlamp-fuzz-\(UUID().uuidString)"
    try? makeFolder(path)
    made = path
    return path
  }

  /// Writes a file and answers with its path.
  func file(_ name: String, _ bytes: [UInt8]) throws -> String {
    let path = folder + "/" + name
    guard FileManager.default.createFile(atPath: path, contents: Data(bytes)) else {
      throw FileError.unwritable(path: path, reason: lastSystemError())
    }
    return path
  }

  deinit {
    if let made { try? FileManager.default.removeItem(atPath: made) }
  }
}
