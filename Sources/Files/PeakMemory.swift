// How much memory a part of the work took at most.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The most memory that was resident since the process began, or since `startCountingPeakMemory`, in bytes; nil where the
/// system does not tell.
public func peakResidentMemory() -> Int? {
  guard let file = fopen("/proc/self/status", "r") else { return nil }
  defer { fclose(file) }
  var line = [CChar](repeating: 0, count: 256)
  while fgets(&line, Int32(line.count), file) != nil {
    let text = String(decoding: line.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
    guard text.hasPrefix("VmHWM:") else { continue }
    return text.split { $0 == " " || $0 == "\t" }.dropFirst().first.flatMap { Int($0) }.map { $0 << 10 }
  }
  return nil
}

/// Lets `peakResidentMemory` count from now on; without effect where the system does not allow it.
public func startCountingPeakMemory() {
  guard let file = fopen("/proc/self/clear_refs", "w") else { return }
  // 5 resets the mark (proc(5)).
  fputs("5", file)
  fclose(file)
}
