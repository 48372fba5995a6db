// A file's bytes, mapped read-only into memory: pages are read when they are touched, and never copied.

import CLastWords

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A read-only map of a whole file, unmapped when the last reference goes.
///
/// Where the file becomes shorter meanwhile, reading what is gone ends the process; `explainLostMaps()` makes it say so.
public final class MappedFile: @unchecked Sendable {
  /// The path that was opened.
  public let path: String
  /// The mapped bytes; valid as long as this object lives.
  public let bytes: UnsafeRawBufferPointer
  /// Where the map is noted, so that a file which becomes shorter can be named.
  private let slot: Int32

  /// Maps the file at `path`.
  /// - Throws: `FileError.unreadable` or `isFolder`.
  public init(path: String) throws(FileError) {
    // Opening a pipe would wait for someone to write into it.
    let descriptor = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK)
    guard descriptor >= 0 else { throw .unreadable(path: path, reason: lastSystemError()) }
    defer { close(descriptor) }
    var status = stat()
    guard fstat(descriptor, &status) == 0 else {
      throw .unreadable(path: path, reason: lastSystemError())
    }
    switch status.st_mode & S_IFMT {
    case S_IFDIR: throw .isFolder(path: path)
    case S_IFREG: break
    default: throw .unreadable(path: path, reason: "it is a device or a pipe, and a file is needed")
    }
    let size = Int(status.st_size)
    self.path = path
    if size == 0 {
      bytes = UnsafeRawBufferPointer(start: nil, count: 0)
      slot = -1
      return
    }
    guard let base = mmap(nil, size, PROT_READ, MAP_PRIVATE, descriptor, 0), base != MAP_FAILED else {
      throw .unreadable(path: path, reason: lastSystemError())
    }
    bytes = UnsafeRawBufferPointer(start: base, count: size)
    slot = last_words_note_map(base, size, path)
  }

  deinit {
    last_words_forget_map(slot)
    if let base = bytes.baseAddress {
      munmap(UnsafeMutableRawPointer(mutating: base), bytes.count)
    }
  }

  /// Calls `body` with the file's bytes.
  public func withBytes<Result, Failure>(
    _ body: (RawSpan) throws(Failure) -> Result
  ) throws(Failure) -> Result {
    try body(bytes.bytes)
  }

  /// The file's bytes as an array of their own.
  public func copiedBytes() -> [UInt8] { Array(bytes) }

  /// Tells the kernel that the pages of `range` will be needed soon: it starts to read them.
  public func prefetch(_ range: Range<Int>) { advise(range, MADV_WILLNEED) }

  /// Tells the kernel that the pages of `range` will not be needed soon.
  public func release(_ range: Range<Int>) { advise(range, MADV_DONTNEED) }

  /// Advises the kernel on the whole pages within `range`.
  private func advise(_ range: Range<Int>, _ advice: Int32) {
    guard let base = bytes.baseAddress else { return }
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    let start = (range.lowerBound + page - 1) / page * page
    let end = range.upperBound / page * page
    guard start < end else { return }
    madvise(UnsafeMutableRawPointer(mutating: base + start), end - start, advice)
  }
}

/// From now on a mapped file that becomes shorter while it is read ends the process with a line that names the file.
public func explainLostMaps() { last_words_explain_lost_maps() }
