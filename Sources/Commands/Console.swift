// Where text goes: results to standard output, everything else to standard error.

import Files

/// The two output streams of the process.
struct Console: Sendable {
  /// Whether standard error is a terminal, so that progress may be shown.
  let showsProgress: Bool

  init() {
    showsProgress = StandardStream.error.isTerminal
  }

  /// Writes a line of results to standard output; ends the process where that is not possible, as results nobody can
  /// read are a failure.
  func print(_ line: String) {
    do {
      try StandardStream.output.write(line + "\n")
    } catch {
      endProgress()
      note("headlamp: \(error.sentence)")
      exitProcess(error.exitCode)
    }
  }

  /// Writes a line about the work to standard error.
  func note(_ line: String) {
    try? StandardStream.error.write(line + "\n")
  }

  /// Replaces the progress line on the terminal; silent in a pipe.
  func progress(_ text: String) {
    guard showsProgress else { return }
    try? StandardStream.error.write("\r\u{1b}[K" + text)
  }

  /// Clears the progress line.
  func endProgress() {
    guard showsProgress else { return }
    try? StandardStream.error.write("\r\u{1b}[K")
  }
}
