// Folders for outputs.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif
import FoundationEssentials

/// Makes a folder, and those above it, where they do not exist.
/// - Throws: `FileError.unwritable`, also where a file stands in the way.
public func makeFolder(_ path: String) throws(FileError) {
  do {
    try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
  } catch {
    var isFolder = false
    if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder), !isFolder {
      throw .unwritable(path: path, reason: "it is a file, not a folder")
    }
    throw .unwritable(path: path, reason: "the folder cannot be made")
  }
}

/// Removes a file if there is one.
public func removeFile(_ path: String) {
  unlink(path)
}
