// Long work that wants to put its state down when it is interrupted, and all other work, which says what is left of it.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif
import Synchronization

/// What becomes of the process when it is asked to stop.
public enum Interruption {
  private static let requested = Atomic<Bool>(false)
  /// The bytes that a signal handler may write, and their number: made before, as handlers must not allocate.
  nonisolated(unsafe) private static var words: UnsafeMutablePointer<UInt8>?
  nonisolated(unsafe) private static var wordCount = 0

  private static let signals = [SIGINT, SIGTERM]

  /// From now on SIGINT and SIGTERM end the process with one line on standard error and the code that shells report for
  /// them: 130 and 143.
  /// - Parameter line: what is kept, and how to go on.
  public static func explain(_ line: String) {
    // Words from before are left where they are: a handler might be reading them.
    let bytes = Array("\n\(line)\n".utf8)
    let memory = UnsafeMutablePointer<UInt8>.allocate(capacity: bytes.count)
    for (place, byte) in bytes.enumerated() { unsafe memory[place] = byte }
    unsafe words = memory
    wordCount = bytes.count
    stopNoting()
  }

  /// From now on the first SIGINT or SIGTERM is only noted; a second one ends the process.
  public static func note() {
    // Reading it once creates the flag before a signal handler may touch it.
    _ = requested.load(ordering: .relaxed)
    release()
    for number in signals {
      signal(number) { number in
        Interruption.requested.store(true, ordering: .relaxed)
        signal(number, SIG_DFL)
      }
    }
  }

  /// Lets the signals through: a parent may have started this process with them held back.
  private static func release() {
    var set = sigset_t()
    sigemptyset(&set)
    for number in signals { sigaddset(&set, number) }
    pthread_sigmask(SIG_UNBLOCK, &set, nil)
  }

  /// From now on these signals end the process again; what has been noted stays noted.
  public static func stopNoting() {
    guard unsafe words != nil else {
      for number in signals { signal(number, SIG_DFL) }
      return
    }
    release()
    for number in signals {
      signal(number) { number in
        if let words = unsafe Interruption.words {
          _ = unsafe write(2, words, Interruption.wordCount)
        }
        _exit(128 + number)
      }
    }
  }

  /// Whether a signal has been noted.
  public static var isRequested: Bool { requested.load(ordering: .relaxed) }
}
