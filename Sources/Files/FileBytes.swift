// Whole files in memory, for readers that work on an array.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The bytes of a whole file.
/// - Throws: `FileError` where it cannot be read or is a folder.
public func readBytes(ofFileAt path: String) throws(FileError) -> [UInt8] {
  let file = try MappedFile(path: path)
  return withExtendedLifetime(file) { Array(file.bytes) }
}

/// Whether a folder stands at `path`.
public func isFolder(_ path: String) -> Bool {
  var status = stat()
  return stat(path, &status) == 0 && status.st_mode & S_IFMT == S_IFDIR
}
