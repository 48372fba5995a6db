// Another program, fed on its standard input and read from its standard output, never waiting on a full pipe.

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// What a program did.
public struct ChildProgramResult: Sendable, Equatable {
  /// How it ended.
  public enum Ending: Sendable, Equatable {
    /// It ended by itself with this code; 127 means that the shell did not find it.
    case exited(Int32)
    /// A signal of this number ended it.
    case killed(Int32)
    /// It was still running at the end of its time, and was ended.
    case timedOut
    /// It wrote more than it may, and was ended.
    case wroteTooMuch
  }

  /// How it ended.
  public let ending: Ending
  /// What it wrote to its standard output.
  public let output: [UInt8]
  /// The last line that is not blank of what it wrote to its standard error.
  public let lastErrorLine: String
}

/// Runs a shell command with `input` on its standard input.
///
/// Input is written and both outputs are read as the program takes and gives them, so that no side ever waits for the
/// other's full pipe. The program and what it started are ended when the time is over.
/// - Parameters:
///   - command: given to `/bin/sh -c`.
///   - timeout: seconds.
///   - outputLimit: bytes of standard output after which the program is ended.
/// - Throws: `FileError.unreadable` where the shell or a pipe cannot be had.
public func runProgram(
  _ command: String, input: [UInt8], timeout: Double, outputLimit: Int = 1 << 30
) throws(FileError) -> ChildProgramResult {
  let pipes = try Pipes(command)
  // Writing to a program that has gone must be an error, not the end of this process.
  let earlier = signal(SIGPIPE, SIG_IGN)
  defer { signal(SIGPIPE, earlier) }
  let child = try spawnShell(command, pipes)
  pipes.closeChildEnds()
  var exchange = Exchange(
    pipes: pipes, input: input, deadline: monotonicSeconds() + timeout, outputLimit: outputLimit)
  let cut = exchange.run()
  pipes.closeParentEnds()
  var status: Int32 = 0
  var ending = cut
  while true {
    if ending != nil { kill(-child, SIGKILL) }
    let waited = waitpid(child, &status, ending == nil ? WNOHANG : 0)
    if waited == child || (waited < 0 && errno != EINTR) { break }
    if waited == 0 {
      if monotonicSeconds() > exchange.deadline { ending = .timedOut } else { usleep(2_000) }
    }
  }
  let signalNumber = status & 0x7f
  return ChildProgramResult(
    ending: ending ?? (signalNumber == 0 ? .exited(status >> 8 & 0xff) : .killed(signalNumber)),
    output: exchange.output, lastErrorLine: lastLine(exchange.errors))
}

private func monotonicSeconds() -> Double {
  var time = timespec()
  clock_gettime(CLOCK_MONOTONIC, &time)
  return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

private func lastLine(_ bytes: [UInt8]) -> String {
  let text = String(decoding: bytes, as: UTF8.self)
  let lines = text.split(whereSeparator: \.isNewline).filter { !$0.allSatisfy(\.isWhitespace) }
  return String((lines.last ?? "").prefix(300))
}

/// The three pipes between this process and the program.
private final class Pipes {
  private(set) var childInput: Int32 = -1
  private(set) var toChild: Int32 = -1
  private(set) var fromChild: Int32 = -1
  private(set) var childOutput: Int32 = -1
  private(set) var errorsFromChild: Int32 = -1
  private(set) var childErrors: Int32 = -1

  init(_ command: String) throws(FileError) {
    (childInput, toChild) = try Self.pair(command)
    (fromChild, childOutput) = try Self.pair(command)
    (errorsFromChild, childErrors) = try Self.pair(command)
    for descriptor in [toChild, fromChild, errorsFromChild] {
      _ = fcntl(descriptor, F_SETFL, fcntl(descriptor, F_GETFL) | O_NONBLOCK)
    }
  }

  deinit {
    closeChildEnds()
    closeParentEnds()
  }

  private static func pair(_ command: String) throws(FileError) -> (Int32, Int32) {
    var ends: [Int32] = [-1, -1]
    guard pipe(&ends) == 0 else { throw .unreadable(path: command, reason: lastSystemError()) }
    for end in ends { _ = fcntl(end, F_SETFD, FD_CLOEXEC) }
    return (ends[0], ends[1])
  }

  private func closeOnce(_ descriptor: inout Int32) {
    if descriptor >= 0 { close(descriptor) }
    descriptor = -1
  }

  func closeChildEnds() {
    closeOnce(&childInput)
    closeOnce(&childOutput)
    closeOnce(&childErrors)
  }

  func closeInput() { closeOnce(&toChild) }
  func closeOutput() { closeOnce(&fromChild) }
  func closeErrors() { closeOnce(&errorsFromChild) }

  func closeParentEnds() {
    closeInput()
    closeOutput()
    closeErrors()
  }
}

/// Starts the shell in a process group of its own, so that all it starts can be ended with it.
private func spawnShell(_ command: String, _ pipes: Pipes) throws(FileError) -> pid_t {
  var actions = posix_spawn_file_actions_t()
  posix_spawn_file_actions_init(&actions)
  defer { posix_spawn_file_actions_destroy(&actions) }
  posix_spawn_file_actions_adddup2(&actions, pipes.childInput, 0)
  posix_spawn_file_actions_adddup2(&actions, pipes.childOutput, 1)
  posix_spawn_file_actions_adddup2(&actions, pipes.childErrors, 2)
  var attributes = posix_spawnattr_t()
  posix_spawnattr_init(&attributes)
  defer { posix_spawnattr_destroy(&attributes) }
  var defaults = sigset_t()
  sigemptyset(&defaults)
  sigaddset(&defaults, SIGPIPE)
  posix_spawnattr_setsigdefault(&attributes, &defaults)
  posix_spawnattr_setpgroup(&attributes, 0)
  posix_spawnattr_setflags(&attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF))
  var child: pid_t = 0
  let words: [String] = ["/bin/sh", "-c", command]
  var arguments: [UnsafeMutablePointer<CChar>?] = words.map { strdup($0) }
  arguments.append(nil)
  defer { for argument in arguments { free(argument) } }
  let code = FreeMemory.withoutLimit {
    posix_spawn(&child, "/bin/sh", &actions, &attributes, &arguments, environ)
  }
  guard code == 0 else {
    errno = code
    throw .unreadable(path: command, reason: lastSystemError())
  }
  return child
}

/// Writing and reading until both outputs are closed, or time or the limit is over.
private struct Exchange {
  let pipes: Pipes
  let input: [UInt8]
  let deadline: Double
  let outputLimit: Int
  var written = 0
  var output: [UInt8] = []
  var errors: [UInt8] = []

  init(pipes: Pipes, input: [UInt8], deadline: Double, outputLimit: Int) {
    self.pipes = pipes
    self.input = input
    self.deadline = deadline
    self.outputLimit = outputLimit
    if input.isEmpty { pipes.closeInput() }
  }

  /// - Returns: why the program must be ended, or nil where it closed its outputs itself.
  mutating func run() -> ChildProgramResult.Ending? {
    while pipes.fromChild >= 0 || pipes.errorsFromChild >= 0 {
      let left = deadline - monotonicSeconds()
      guard left > 0 else { return .timedOut }
      guard output.count <= outputLimit else { return .wroteTooMuch }
      // A descriptor of −1 is passed over by poll.
      var waiting = [
        pollfd(fd: pipes.toChild, events: Int16(POLLOUT), revents: 0),
        pollfd(fd: pipes.fromChild, events: Int16(POLLIN), revents: 0),
        pollfd(fd: pipes.errorsFromChild, events: Int16(POLLIN), revents: 0),
      ]
      guard poll(&waiting, 3, Int32(min(left * 1_000 + 1, 1_000))) > 0 else { continue }
      if waiting[0].revents != 0 { write() }
      if waiting[1].revents != 0, !read(pipes.fromChild, into: &output) { pipes.closeOutput() }
      if waiting[2].revents != 0 {
        if !read(pipes.errorsFromChild, into: &errors) { pipes.closeErrors() }
        // Only the end is ever shown.
        if errors.count > 1 << 16 { errors.removeFirst(errors.count - 4_096) }
      }
    }
    return nil
  }

  private mutating func write() {
    let count = input.withUnsafeBytes { bytes in
      bytes.baseAddress.map { Glibc.write(pipes.toChild, $0 + written, bytes.count - written) } ?? 0
    }
    if count > 0 { written += count }
    let isBroken = count < 0 && errno != EAGAIN && errno != EINTR
    if written == input.count || isBroken { pipes.closeInput() }
  }

  /// - Returns: false at the end.
  private func read(_ descriptor: Int32, into target: inout [UInt8]) -> Bool {
    var chunk = [UInt8](repeating: 0, count: 1 << 16)
    let count = Glibc.read(descriptor, &chunk, chunk.count)
    if count > 0 { target += chunk[..<count] }
    return count > 0 || (count < 0 && (errno == EAGAIN || errno == EINTR))
  }
}
