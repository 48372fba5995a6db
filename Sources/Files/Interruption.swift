// Long work that wants to put its state down when it is interrupted.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif
import Synchronization

/// Whether the process was asked to stop.
public enum Interruption {
  private static let requested = Atomic<Bool>(false)

  /// From now on the first SIGINT or SIGTERM is only noted; a second one ends the process.
  public static func note() {
    // Reading it once creates the flag before a signal handler may touch it.
    _ = requested.load(ordering: .relaxed)
    // A parent may have started this process with signals held back.
    var signals = sigset_t()
    sigemptyset(&signals)
    for number in [SIGINT, SIGTERM] { sigaddset(&signals, number) }
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    for number in [SIGINT, SIGTERM] {
      signal(number) { number in
        Interruption.requested.store(true, ordering: .relaxed)
        signal(number, SIG_DFL)
      }
    }
  }

  /// From now on these signals end the process again; what has been noted stays noted.
  public static func stopNoting() {
    for number in [SIGINT, SIGTERM] { signal(number, SIG_DFL) }
  }

  /// Whether a signal has been noted.
  public static var isRequested: Bool { requested.load(ordering: .relaxed) }
}
