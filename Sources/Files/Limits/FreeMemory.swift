// How much memory there is, and the system's own limit on it.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif
import CLastWords

/// Memory that a process can still have.
public enum FreeMemory {
  /// Bytes that were free when this was first asked: of the machine with its swap, of the control group, and of what
  /// the process was started with; at least 128 MiB.
  public static let atStart: Int = max(128 << 20, min(ofMachine, ofControlGroup, ofProcess))

  /// Asks the system to refuse this process more than `bytes` of memory of its own (maps of files do not count).
  public static func limit(to bytes: Int) {
    var limits = rlimit()
    guard last_words_is_sanitized() == 0, getrlimit(Limits.data, &limits) == 0 else { return }
    original = original ?? limits.rlim_cur
    limits.rlim_cur = min(rlim_t(bytes), limits.rlim_max)
    setrlimit(Limits.data, &limits)
  }

  /// Calls `body`, which starts another program, with the limit that this process itself was started with.
  static func withoutLimit<Result>(_ body: () -> Result) -> Result {
    var limits = rlimit()
    guard let original, getrlimit(Limits.data, &limits) == 0 else { return body() }
    var lifted = limits
    lifted.rlim_cur = original
    setrlimit(Limits.data, &lifted)
    defer { setrlimit(Limits.data, &limits) }
    return body()
  }

  /// Set once, as the process starts.
  nonisolated(unsafe) private static var original: rlim_t?

  private static var ofMachine: Int {
    let lines = (try? readSystemText("/proc/meminfo"))?.split(separator: "\n") ?? []
    func kilobytes(_ name: String) -> Int? {
      lines.first { $0.hasPrefix(name + ":") }?.split(separator: " ").dropFirst().first.flatMap { Int($0) }
    }
    guard let available = kilobytes("MemAvailable") else { return Int.max }
    return (available + (kilobytes("SwapFree") ?? 0)) << 10
  }

  private static var ofControlGroup: Int {
    let folder = "/sys/fs/cgroup/"
    func number(_ name: String) -> Int? {
      (try? readSystemText(folder + name)).flatMap { text in Int(text.filter { !$0.isWhitespace }) }
    }
    guard let most = number("memory.max"), let used = number("memory.current") else { return Int.max }
    // Cached pages of files give way.
    let statistics = (try? readSystemText(folder + "memory.stat"))?.split(separator: "\n") ?? []
    let cached = statistics.first { $0.hasPrefix("inactive_file ") }?.split(separator: " ").last
      .flatMap { Int($0) }
    return max(0, most - used + (cached ?? 0))
  }

  private static var ofProcess: Int {
    [Limits.data, Limits.addresses].map { kind in
      var limits = rlimit()
      guard getrlimit(kind, &limits) == 0, limits.rlim_cur < rlim_t(Int.max) else { return Int.max }
      return Int(limits.rlim_cur)
    }.min() ?? Int.max
  }

  private enum Limits {
    #if canImport(Glibc)
      static let data = __rlimit_resource_t(RLIMIT_DATA.rawValue)
      static let addresses = __rlimit_resource_t(RLIMIT_AS.rawValue)
    #else
      static let data = RLIMIT_DATA
      static let addresses = RLIMIT_AS
    #endif
  }

  /// Files of the system have no size: they are read to their end.
  private static func readSystemText(_ path: String) throws(FileError) -> String {
    let descriptor = open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { throw .unreadable(path: path, reason: lastSystemError()) }
    defer { close(descriptor) }
    var bytes = [UInt8](repeating: 0, count: 1 << 16)
    let count = read(descriptor, &bytes, bytes.count)
    return String(decoding: bytes.prefix(max(0, count)), as: UTF8.self)
  }
}
