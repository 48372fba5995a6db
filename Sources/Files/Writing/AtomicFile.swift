// Outputs appear whole or not at all: bytes go to a file without a name, which gets its name at the end.
//
// A process that is killed leaves nothing behind. Where the file system has no files without names, a name that nobody
// can guess stands for it until the end.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif
import FoundationEssentials

/// A file being written, which the world sees when it is whole.
///
/// The target appears when `commit()` succeeds, and is durable then; a writer that is let go before that leaves the target
/// as it was. A symbolic link at the target's place is replaced, never followed; devices and pipes are refused. A file
/// that is replaced keeps its permissions.
public final class AtomicFile {
  /// The path the file will have after `commit()`.
  public let path: String
  private let folder: String
  /// The name under which the bytes lie; nil where they have none.
  private var temporaryPath: String?
  private var descriptor: Int32
  private var buffer: [UInt8] = []
  private static let bufferLimit = 1 << 20
  /// `O_TMPFILE`, which C spells as a macro that Swift does not see.
  private static let unnamed = 0o20000000 | O_DIRECTORY

  /// Opens a file for the bytes in the folder of `path`.
  /// - Throws: `FileError.unwritable` where the folder does not allow it or something other than a file stands at
  ///   `path`, `isFolder` where a folder does.
  public init(path: String) throws(FileError) {
    self.path = path
    folder = folderOfPath(path)
    var permissions: mode_t = 0o644
    var isNew = true
    var status = stat()
    if stat(path, &status) == 0 {
      switch status.st_mode & S_IFMT {
      case S_IFDIR: throw .isFolder(path: path)
      case S_IFREG: permissions = status.st_mode & 0o777
      default: throw .unwritable(path: path, reason: "it is a device or a pipe, and a file is needed")
      }
      isNew = false
    }
    guard !path.isEmpty, !path.hasSuffix("/") else {
      throw .unwritable(path: path, reason: "no file has this name")
    }
    try ClaimedFolders.check(folder, for: path)
    // A file without a name gets one by way of /proc.
    let hasDescriptorPaths = access("/proc/self/fd", X_OK) == 0
    descriptor = hasDescriptorPaths ? SystemCalls.open(folder, O_RDWR | Self.unnamed, 0o644) : -1
    if !hasDescriptorPaths || (descriptor < 0 && [EOPNOTSUPP, EISDIR, EINVAL].contains(errno)) {
      let name = unguessableName(in: folder)
      descriptor = SystemCalls.open(name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW, 0o644)
      if descriptor >= 0 { temporaryPath = name }
    }
    guard descriptor >= 0 else { throw .unwritable(path: path, reason: lastSystemError()) }
    if !isNew { fchmod(descriptor, permissions) }
  }

  deinit {
    guard descriptor >= 0 else { return }
    close(descriptor)
    if let temporaryPath { unlink(temporaryPath) }
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
    let result = bytes.withUnsafeBytes { SystemCalls.writeAll(descriptor, $0) }
    guard result == 0 else { throw failure() }
  }

  /// Writes bytes at a place of the file, which grows where they reach past its end; what was skipped is zeros.
  public func write(_ bytes: RawSpan, at offset: Int) throws(FileError) {
    try flush()
    let result = bytes.withUnsafeBytes { SystemCalls.writeAll(descriptor, $0, at: offset) }
    guard result == 0 else { throw failure() }
  }

  /// Adds all bytes from `offset` on, as they were written, to a digest.
  public func add(from offset: Int, to digest: SHA256Digest) throws(FileError) {
    try flush()
    var chunk = [UInt8](repeating: 0, count: Self.bufferLimit)
    var place = offset
    while true {
      let count = pread(descriptor, &chunk, chunk.count, off_t(place))
      guard count >= 0 else { throw failure() }
      guard count > 0 else { return }
      digest.update(chunk.span.bytes.extracting(first: count))
      place += count
    }
  }

  /// Makes the bytes durable, gives the file its name, and makes the name durable.
  public func commit() throws(FileError) {
    try flush()
    guard SystemCalls.synchronise(descriptor) == 0 else { throw failure() }
    try ClaimedFolders.check(folder, for: path)
    if temporaryPath == nil {
      // A name that nothing has yet is given at once; what stands there already is replaced by way of another name.
      if SystemCalls.link(descriptor, as: path) == 0 {
        let closed = SystemCalls.close(descriptor)
        descriptor = -1
        guard closed == 0, SystemCalls.synchroniseFolder(folder) == 0 else { throw failure() }
        return
      }
      let name = unguessableName(in: folder)
      guard errno == EEXIST, SystemCalls.link(descriptor, as: name) == 0 else { throw failure() }
      temporaryPath = name
    }
    let closed = SystemCalls.close(descriptor)
    descriptor = -1
    guard let name = temporaryPath, closed == 0, SystemCalls.rename(name, to: path) == 0 else {
      let failure = failure()
      if let temporaryPath { unlink(temporaryPath) }
      throw failure
    }
    guard SystemCalls.synchroniseFolder(folder) == 0 else { throw failure() }
  }

  private func failure() -> FileError { .unwritable(path: path, reason: lastSystemError()) }

  private func flush() throws(FileError) {
    guard !buffer.isEmpty else { return }
    let result = buffer.withUnsafeBytes { SystemCalls.writeAll(descriptor, $0) }
    buffer.removeAll(keepingCapacity: true)
    guard result == 0 else { throw failure() }
  }
}

/// The folder that a path lies in: "." for a bare name.
package func folderOfPath(_ path: String) -> String {
  guard let slash = path.lastIndex(of: "/") else { return "." }
  return slash == path.startIndex ? "/" : String(path[..<slash])
}

/// A path in `folder` that nothing has, and that nobody can put something at beforehand.
package func unguessableName(in folder: String) -> String {
  var generator = SystemRandomNumberGenerator()
  let digits = [generator.next(), generator.next()].map { number in
    let text = String(number as UInt64, radix: 16)
    return String(repeating: "0", count: 16 - text.count) + text
  }
  return folder + "/.headlamp-" + digits.joined() + ".tmp"
}

/// Whether a name is one that `unguessableName` makes.
func isTemporaryName(_ name: String) -> Bool {
  let (start, end) = (".headlamp-", ".tmp")
  guard name.hasPrefix(start), name.hasSuffix(end) else { return false }
  let digits = name.dropFirst(start.count).dropLast(end.count)
  return digits.count == 32 && digits.allSatisfy(\.isHexDigit)
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
