// Standard output and standard error, without the weight of Foundation's file handles.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// One of the process's two output streams.
public enum StandardStream: Int32, Sendable {
  case output = 1
  case error = 2

  /// Whether the stream ends at a terminal.
  public var isTerminal: Bool { isatty(rawValue) == 1 }

  /// The width of its terminal in columns; nil where there is none or it does not tell.
  public var columns: Int? {
    var size = winsize()
    guard isTerminal, ioctl(rawValue, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return nil }
    return Int(size.ws_col)
  }

  /// Writes text at once, unbuffered.
  /// - Throws: `FileError.unwritable`, as where output goes to a full disk.
  public func write(_ text: String) throws(FileError) {
    var bytes = Array(text.utf8)[...]
    while !bytes.isEmpty {
      let written = bytes.withUnsafeBytes { buffer in
        #if canImport(Glibc)
          Glibc.write(rawValue, buffer.baseAddress, buffer.count)
        #else
          Musl.write(rawValue, buffer.baseAddress, buffer.count)
        #endif
      }
      if written < 0 {
        if errno == EINTR { continue }
        throw .unwritable(
          path: self == .output ? "standard output" : "standard error", reason: lastSystemError())
      }
      bytes = bytes.dropFirst(written)
    }
  }
}

/// Ends the process with an exit code, at once: libraries that tidy up at exit (OpenSSL, HDF5) would do so under threads
/// that are still at work. The streams above keep nothing back, so nothing is lost.
public func exitProcess(_ code: Int32) -> Never {
  _exit(code)
}
