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

/// All that standard input holds, up to its end.
/// - Throws: `FileError.unreadable` where it cannot be read or is not UTF-8, `overLimit` past `Limit.unpacked`.
public func readStandardInput() throws(FileError) -> String {
  var bytes: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 1 << 16)
  while true {
    let count = chunk.withUnsafeMutableBytes { read(0, $0.baseAddress, $0.count) }
    if count == 0 { break }
    if count < 0 {
      if errno == EINTR { continue }
      throw .unreadable(path: "standard input", reason: lastSystemError())
    }
    bytes += chunk[..<count]
    guard bytes.count <= Limit.unpacked.value else {
      throw .overLimit(path: "standard input", limit: .unpacked, asked: nil, of: "text")
    }
  }
  guard let text = String(validating: bytes, as: UTF8.self) else {
    throw .unreadable(path: "standard input", reason: "it is not UTF-8 text")
  }
  return text
}
