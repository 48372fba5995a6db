// Folders for outputs.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Makes a folder and those above it, where they do not exist.
/// - Throws: `FileError.unwritable` where that is not allowed, or a file stands in the way.
public func makeFolder(_ path: String) throws(FileError) {
  var made = path.hasPrefix("/") ? "/" : ""
  for part in path.split(separator: "/") {
    made += (made.isEmpty || made == "/" ? "" : "/") + part
    guard SystemCalls.makeFolder(made, 0o755) != 0 else { continue }
    let reason = errno == EEXIST ? "\(made) is a file, and a folder is needed" : lastSystemError()
    guard isFolder(made) else { throw .unwritable(path: path, reason: reason) }
  }
}
