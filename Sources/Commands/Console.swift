// What a subcommand says: results on standard output, notes and progress on standard error.

import Files
import Synchronization

/// The command's two streams.
///
/// One look for all commands: results are lines, or one JSON object with `--json`; notes are left out by `--quiet`;
/// progress is one line that is written over, on a terminal only, and only for work of more than a second.
struct Console: Sendable {
  private let form: Form
  private let isQuiet: Bool
  private let meter: ProgressMeter?
  private let gathered = Gathered()

  /// What results look like.
  enum Form: Sendable {
    case lines
    case json
  }

  /// What was said in place of lines, where one JSON object is wanted.
  private final class Gathered: Sendable {
    let lines = Mutex<[String]>([])
    let result = Mutex<JSONValue?>(nil)
  }

  init(_ form: Form = .lines, isQuiet: Bool = false) {
    self.form = form
    self.isQuiet = isQuiet
    meter = StandardStream.error.isTerminal && !isQuiet ? ProgressMeter() : nil
  }

  /// Writes a line of results to standard output; ends the process where that is not possible, as results nobody can
  /// read are a failure.
  func print(_ line: String) {
    switch form {
    case .lines: write(line)
    case .json: gathered.lines.withLock { $0.append(line) }
    }
  }

  /// Says what `--json` prints in place of lines.
  func result(_ value: @autoclosure () throws -> JSONValue) rethrows {
    guard case .json = form else { return }
    let value = try value()
    gathered.result.withLock { $0 = value }
  }

  /// Prints the one object of `--json`: what the command gave, else the lines that it would have printed.
  func finish(command: String) {
    endProgress()
    guard case .json = form else { return }
    let lines = gathered.lines.withLock { $0 }
    let value =
      gathered.result.withLock { $0 }
      ?? .object([
        JSONMember("command", .string(command)), JSONMember("lines", .array(lines.map { .string($0) })),
      ])
    write(value.text())
  }

  private func write(_ line: String) {
    meter?.clear()
    do {
      try StandardStream.output.write(line + "\n")
    } catch {
      problem("headlamp: \(error.sentence)")
      exitProcess(error.exitCode)
    }
  }

  /// Writes a line about the work to standard error.
  func note(_ line: String) {
    guard !isQuiet else { return }
    problem(line)
  }

  /// Writes a line that no option leaves out.
  func problem(_ line: String) {
    meter?.clear()
    try? StandardStream.error.write(line + "\n")
  }

  /// Says what is done now, where that has no parts to count.
  func progress(_ what: String) { meter?.show(what) }

  /// Says how much of some work is done.
  /// - Parameters:
  ///   - unit: what is counted, such as `prompts`.
  ///   - more: what else is known by now, such as a loss.
  func progress(_ what: String, _ done: Int, of total: Int, _ unit: String, more: String = "") {
    meter?.show(what, done, of: total, unit, more: more)
  }

  /// Clears the progress line.
  func endProgress() { meter?.clear() }
}
