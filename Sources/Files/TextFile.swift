// A whole text file at once.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The text of a UTF-8 file.
/// - Throws: `FileError`; `unreadable` also where the bytes are not UTF-8.
public func readText(at path: String) throws(FileError) -> String {
  let file = try MappedFile(path: path)
  guard let text = String(validating: file.bytes, as: UTF8.self) else {
    throw .unreadable(path: path, reason: "the file is not UTF-8 text")
  }
  return text
}

/// Whether anything stands at `path`.
public func fileExists(at path: String) -> Bool { access(path, F_OK) == 0 }
