// The system calls by which this project writes, each tried again where a signal interrupted it.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Calls of the operating system, as C has them: −1 for failure, with the reason in `errno`.
package enum SystemCalls {
  /// Counts a step, and answers whether it must fail; `errno` is then set.
  private static func fails(_ step: WritingStep) -> Bool {
    guard case .error(let code) = Faults.strike(step) else { return false }
    errno = code
    return true
  }

  /// Calls `body` until no signal interrupts it.
  private static func persistently<Value: SignedInteger>(_ step: WritingStep, _ body: () -> Value) -> Value {
    while true {
      let result: Value = fails(step) ? -1 : body()
      if result < 0, errno == EINTR { continue }
      return result
    }
  }

  package static func open(_ path: String, _ flags: Int32, _ mode: mode_t) -> Int32 {
    persistently(.open) { openWithMode(path, flags | O_CLOEXEC, mode) }
  }

  /// Writes all bytes, however few the system takes at a time, at the end of what was written before or at `offset`.
  package static func writeAll(
    _ descriptor: Int32, _ bytes: UnsafeRawBufferPointer, at offset: Int? = nil
  ) -> Int32 {
    var rest = bytes
    var place = offset
    while let base = rest.baseAddress, !rest.isEmpty {
      let fault = Faults.strike(.write)
      var count = rest.count
      if fault == .short { count = (count + 1) / 2 }
      let written: Int
      if case .error(let code) = fault {
        errno = code
        written = -1
      } else {
        written =
          place.map { pwrite(descriptor, base, count, off_t($0)) } ?? systemWrite(descriptor, base, count)
      }
      if written < 0 {
        if errno == EINTR { continue }
        return -1
      }
      rest = UnsafeRawBufferPointer(rebasing: rest[written...])
      place = place.map { $0 + written }
    }
    return 0
  }

  package static func synchronise(_ descriptor: Int32) -> Int32 {
    persistently(.synchronise) { fsync(descriptor) }
  }

  /// Closes the descriptor in any case: after an interruption it is gone as well.
  package static func close(_ descriptor: Int32) -> Int32 {
    let fails = fails(.close)
    let code = fails ? errno : 0
    let result = closeDescriptor(descriptor)
    if fails, code != EINTR {
      errno = code
      return -1
    }
    return result < 0 && errno == EINTR ? 0 : result
  }

  /// Gives an open file that has no name yet one that is free.
  package static func link(_ descriptor: Int32, as path: String) -> Int32 {
    persistently(.link) {
      linkat(AT_FDCWD, "/proc/self/fd/\(descriptor)", AT_FDCWD, path, AT_SYMLINK_FOLLOW)
    }
  }

  /// Gives a file a second name, which must be free.
  package static func link(_ path: String, as name: String) -> Int32 {
    persistently(.link) { linkat(AT_FDCWD, path, AT_FDCWD, name, 0) }
  }

  package static func rename(_ old: String, to new: String) -> Int32 {
    persistently(.rename) { renameFile(old, new) }
  }

  package static func makeFolder(_ path: String, _ mode: mode_t) -> Int32 {
    persistently(.folder) { mkdir(path, mode) }
  }

  /// Makes a folder's entries durable. Some file systems cannot, which is no failure.
  package static func synchroniseFolder(_ path: String) -> Int32 {
    let descriptor = openWithMode(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC, 0)
    guard descriptor >= 0 else { return 0 }
    defer { _ = closeDescriptor(descriptor) }
    let result = synchronise(descriptor)
    return result < 0 && (errno == EINVAL || errno == ENOTSUP) ? 0 : result
  }
}

// The names above stand for the C functions within the type.

private func openWithMode(_ path: String, _ flags: Int32, _ mode: mode_t) -> Int32 { open(path, flags, mode) }

private func closeDescriptor(_ descriptor: Int32) -> Int32 { close(descriptor) }

private func renameFile(_ old: String, _ new: String) -> Int32 { rename(old, new) }

private func systemWrite(_ descriptor: Int32, _ base: UnsafeRawPointer, _ count: Int) -> Int {
  write(descriptor, base, count)
}
