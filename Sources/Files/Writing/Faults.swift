// Failures that tests program: the n-th step of writing fails, as on a full disk or a bad one.
//
// Every system call by which this project writes goes through `SystemCalls`, which asks here first. Nothing is ever
// programmed but by tests: in their own process, or for a command by the variable HEADLAMP_FAULTS.

import CLastWords
import Synchronization

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A step of writing.
package enum WritingStep: String, Sendable, CaseIterable {
  case open, write, synchronise, close, link, rename, folder
}

/// A failure to come.
package struct Fault: Sendable, Equatable {
  /// What happens at the step.
  package enum Kind: Sendable, Equatable {
    /// It fails with this `errno`; a second try would do better where it is EINTR.
    case error(Int32)
    /// It takes a part of the bytes, as a pipe or a nearly full disk does.
    case short
    /// The process is ended, as by a power cut.
    case kill
  }

  /// The kind of step that is counted; every kind where nil.
  package var step: WritingStep?
  /// Which of them, counted from 1.
  package var number: Int
  package var kind: Kind

  package init(_ step: WritingStep?, _ number: Int, _ kind: Kind) {
    self.step = step
    self.number = number
    self.kind = kind
  }

  /// Reads `STEP@NUMBER:KIND`: `write@3:ENOSPC`, `any@12:kill`, `write@1:short`.
  package init?(text: String) {
    let parts = text.split(separator: ":")
    let place = parts.first?.split(separator: "@") ?? []
    guard parts.count == 2, place.count == 2, let number = Int(place[1]), number > 0 else { return nil }
    let step = WritingStep(rawValue: String(place[0]))
    guard step != nil || place[0] == "any" else { return nil }
    let errors: [Substring: Int32] = [
      "ENOSPC": ENOSPC, "EIO": EIO, "EINTR": EINTR, "EDQUOT": EDQUOT, "EACCES": EACCES, "EROFS": EROFS,
    ]
    switch parts[1] {
    case "short": self.init(step, number, .short)
    case "kill": self.init(step, number, .kill)
    case let word:
      guard let code = errors[word] else { return nil }
      self.init(step, number, .error(code))
    }
  }
}

/// The failures that are programmed.
package enum Faults {
  private struct Plan {
    var faults: [Fault] = []
    var counts: [WritingStep: Int] = [:]
    var total = 0
  }

  private static let isProgrammed = Atomic<Bool>(false)
  private static let plan = Mutex(Plan())

  /// Programs failures, and counts steps from here.
  package static func program(_ faults: [Fault]) {
    plan.withLock { $0 = Plan(faults: faults) }
    isProgrammed.store(!faults.isEmpty, ordering: .sequentiallyConsistent)
  }

  /// Programs what HEADLAMP_FAULTS says: failures separated by commas; `memory@N` fails the N-th allocation of 64 KiB or
  /// more.
  package static func programFromEnvironment() {
    guard let value = getenv("HEADLAMP_FAULTS") else { return }
    let words = String(cString: value).split(separator: ",")
    program(words.compactMap { Fault(text: String($0)) })
    for word in words where word.hasPrefix("memory@") {
      if let number = Int(word.dropFirst("memory@".count)) { last_words_fail_allocation(number, 1 << 16) }
    }
  }

  /// Counts a step.
  /// - Returns: what happens at it; nil where nothing is programmed for it.
  package static func strike(_ step: WritingStep) -> Fault.Kind? {
    guard isProgrammed.load(ordering: .relaxed) else { return nil }
    let kind = plan.withLock { plan -> Fault.Kind? in
      plan.total += 1
      plan.counts[step, default: 0] += 1
      return plan.faults.first { fault in
        fault.step == nil
          ? fault.number == plan.total : fault.step == step && fault.number == plan.counts[step]
      }?.kind
    }
    if kind == .kill { kill(getpid(), SIGKILL) }
    return kind
  }

  /// Counts a step that is taken by another library.
  /// - Returns: the system's words for the failure programmed for it, if there is one.
  package static func reason(at step: WritingStep) -> String? {
    guard case .error(let code) = strike(step), code != EINTR else { return nil }
    errno = code
    return lastSystemError()
  }
}
