// Outputs appear whole or not at all: bytes go to a temporary name beside the target and are renamed at the end.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif
import FoundationEssentials

/// A file being written under a temporary name.
///
/// The target appears when `commit()` succeeds; a writer that is let go before that removes what it wrote.
public final class AtomicFile {
  /// The path the file will have after `commit()`.
  public let path: String
  private let temporaryPath: String
  private var descriptor: Int32
  private var buffer: [UInt8] = []
  private static let bufferLimit = 1 << 20

  /// Opens a temporary file beside `path`.
  /// - Throws: `FileError.unwritable` where the folder does not allow it, `isFolder` where `path` is a folder.
  public init(path: String) throws(FileError) {
    var status = stat()
    if stat(path, &status) == 0, status.st_mode & S_IFMT == S_IFDIR { throw .isFolder(path: path) }
    self.path = path
    temporaryPath = path + ".\(getpid()).tmp"
    descriptor = open(temporaryPath, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644)
    guard descriptor >= 0 else { throw .unwritable(path: path, reason: lastSystemError()) }
  }

  deinit {
    guard descriptor >= 0 else { return }
    close(descriptor)
    unlink(temporaryPath)
  }

  /// Appends UTF-8 text.
  public func write(_ text: String) throws(FileError) {
    buffer.append(contentsOf: text.utf8)
    if buffer.count >= Self.bufferLimit { try flush() }
  }

  /// Appends bytes.
  public func write(_ bytes: some Sequence<UInt8>) throws(FileError) {
    buffer.append(contentsOf: bytes)
    if buffer.count >= Self.bufferLimit { try flush() }
  }

  /// Appends the bytes of a span, past the buffer.
  public func write(_ bytes: RawSpan) throws(FileError) {
    try flush()
    let failure: FileError? = bytes.withUnsafeBytes { writeAll($0) }
    if let failure { throw failure }
  }

  /// Makes the file durable and gives it its name.
  public func commit() throws(FileError) {
    try flush()
    guard fsync(descriptor) == 0 else { throw .unwritable(path: path, reason: lastSystemError()) }
    let closed = close(descriptor)
    descriptor = -1
    guard closed == 0, rename(temporaryPath, path) == 0 else {
      let reason = lastSystemError()
      unlink(temporaryPath)
      throw .unwritable(path: path, reason: reason)
    }
  }

  private func flush() throws(FileError) {
    guard !buffer.isEmpty else { return }
    let failure: FileError? = buffer.withUnsafeBytes { writeAll($0) }
    buffer.removeAll(keepingCapacity: true)
    if let failure { throw failure }
  }

  private func writeAll(_ bytes: UnsafeRawBufferPointer) -> FileError? {
    var rest = bytes
    while let base = rest.baseAddress, !rest.isEmpty {
      let written = Glibc.write(descriptor, base, rest.count)
      if written < 0 {
        if errno == EINTR { continue }
        return .unwritable(path: path, reason: lastSystemError())
      }
      rest = UnsafeRawBufferPointer(rebasing: rest[written...])
    }
    return nil
  }
}

/// Writes a whole file at once, atomically.
/// - Throws: `FileError` where it cannot be written; an older file of that name then stays as it was.
public func writeFile(_ text: String, to path: String) throws(FileError) {
  let file = try AtomicFile(path: path)
  try file.write(text)
  try file.commit()
}

/// Writes a whole file at once, atomically.
public func writeFile(_ bytes: Data, to path: String) throws(FileError) {
  let file = try AtomicFile(path: path)
  try file.write(bytes)
  try file.commit()
}
