// Another program, fed on its standard input and read from its standard output, never waiting on a full pipe.

#if canImport(Glibc)
  @preconcurrency import Glibc
#elseif canImport(Musl)
  import Musl
#endif

import Synchronization

/// What a program did.
public struct ChildProgramResult: Sendable, Equatable {
  /// How it ended.
  public enum Ending: Sendable, Equatable {
    /// It ended by itself with this code; 127 means that it was not found.
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

/// A program to start: words that are handed to it as they are, or a line for the shell.
public enum ProgramCall: Sendable, Equatable {
  /// The program, found as the shell would, and its arguments.
  case words([String])
  /// A line for `/bin/sh -c`.
  case shell(String)

  /// What is started, as words.
  var words: [String] {
    switch self {
    case .words(let words): words
    case .shell(let line): ["/bin/sh", "-c", line]
    }
  }

  /// The call as a line, for messages.
  public var text: String {
    switch self {
    case .words(let words): words.joined(separator: " ")
    case .shell(let line): line
    }
  }
}

/// Runs a program with `input` on its standard input, in this process's folder and environment.
///
/// Input is written and both outputs are read as the program takes and gives them, so that no side ever waits for the
/// other's full pipe. What it started and left running is ended with it: when its time is over, when it has ended itself,
/// and when a signal ends this process. Only what makes itself a process group of its own escapes.
/// - Parameters:
///   - timeout: seconds.
///   - outputLimit: bytes of standard output after which the program is ended.
/// - Throws: `FileError.unreadable` where a process or a pipe cannot be had.
public func runProgram(
  _ call: ProgramCall, input: [UInt8], timeout: Double, outputLimit: Int = 1 << 30
) throws(FileError) -> ChildProgramResult {
  let pipes = try Pipes(call.text)
  // Writing to a program that has gone must be an error, not the end of this process.
  let earlier = signal(SIGPIPE, SIG_IGN)
  defer { signal(SIGPIPE, earlier) }
  let child: pid_t
  switch try spawn(call, pipes) {
  case .started(let process): child = process
  case .notFound(let reason):
    return ChildProgramResult(ending: .exited(127), output: [], lastErrorLine: reason)
  }
  let guardian = ChildGuardian(child)
  defer { guardian.stop() }
  pipes.closeChildEnds()
  var exchange = Exchange(
    pipes: pipes, child: child, input: input, deadline: monotonicSeconds() + timeout, outputLimit: outputLimit
  )
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
  // What it left behind in its group.
  kill(-child, SIGKILL)
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

private enum Spawned {
  case started(pid_t)
  /// There is no such program, or it may not be run.
  case notFound(reason: String)
}

/// Starts a program in a process group of its own, so that all it starts can be ended with it.
private func spawn(_ call: ProgramCall, _ pipes: Pipes) throws(FileError) -> Spawned {
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
  var held = sigset_t()
  sigemptyset(&held)
  posix_spawnattr_setsigmask(&attributes, &held)
  posix_spawnattr_setpgroup(&attributes, 0)
  posix_spawnattr_setflags(
    &attributes, Int16(POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK))
  var child: pid_t = 0
  var arguments: [UnsafeMutablePointer<CChar>?] = call.words.map { strdup($0) }
  arguments.append(nil)
  defer { for argument in arguments { free(argument) } }
  let program = call.words.first ?? ""
  let code = FreeMemory.withoutLimit {
    posix_spawnp(&child, program, &actions, &attributes, &arguments, environ)
  }
  if [ENOENT, EACCES, ENOEXEC, ENOTDIR].contains(code) {
    errno = code
    return .notFound(reason: lastSystemError())
  }
  guard code == 0 else {
    errno = code
    throw .unreadable(path: call.text, reason: lastSystemError())
  }
  return .started(child)
}

/// Ends the program's group where a signal ends this process meanwhile, as Ctrl-C does.
private struct ChildGuardian {
  private static let group = Atomic<pid_t>(0)
  private static let signals = [SIGINT, SIGTERM, SIGHUP]
  private var earlier: [sigaction] = []

  init(_ child: pid_t) {
    Self.group.store(child, ordering: .sequentiallyConsistent)
    // A parent may have started this process with signals held back.
    var signals = sigset_t()
    sigemptyset(&signals)
    for number in Self.signals { sigaddset(&signals, number) }
    pthread_sigmask(SIG_UNBLOCK, &signals, nil)
    for number in Self.signals {
      var (old, new) = (sigaction(), sigaction())
      new.__sigaction_handler.sa_handler = { number in
        let group = ChildGuardian.group.load(ordering: .sequentiallyConsistent)
        if group > 0 { kill(-group, SIGKILL) }
        signal(number, SIG_DFL)
        raise(number)
      }
      sigaction(number, &new, &old)
      // What is ignored stays ignored.
      if unsafeBitCast(old.__sigaction_handler.sa_handler, to: Int.self) == 1 { sigaction(number, &old, nil) }
      earlier.append(old)
    }
  }

  func stop() {
    Self.group.store(0, ordering: .sequentiallyConsistent)
    for (number, action) in zip(Self.signals, earlier) {
      var action = action
      sigaction(number, &action, nil)
    }
  }
}

/// Writing and reading until both outputs are closed, or time or the limit is over.
private struct Exchange {
  let pipes: Pipes
  let child: pid_t
  let input: [UInt8]
  let deadline: Double
  let outputLimit: Int
  var written = 0
  var output: [UInt8] = []
  var errors: [UInt8] = []

  init(pipes: Pipes, child: pid_t, input: [UInt8], deadline: Double, outputLimit: Int) {
    self.pipes = pipes
    self.child = child
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
      guard poll(&waiting, 3, Int32(min(left * 1_000 + 1, 200))) > 0 else {
        // What the program left running may hold its outputs open for ever.
        if hasEnded { return nil }
        continue
      }
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

  /// Whether the program itself has ended; it stays to be waited for.
  private var hasEnded: Bool {
    var information = siginfo_t()
    return waitid(P_PID, id_t(child), &information, WEXITED | WNOHANG | WNOWAIT) == 0
      && information.si_signo == SIGCHLD
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
