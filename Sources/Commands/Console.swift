// Where text goes: results to standard output, everything else to standard error.

import Files

/// The two output streams of the process.
struct Console: Sendable {
  /// Whether standard error is a terminal, so that progress may be shown.
  let showsProgress: Bool

  init() {
    showsProgress = StandardStream.error.isTerminal
  }

  /// Writes a line of results to standard output.
  func print(_ line: String) {
    StandardStream.output.write(line + "\n")
  }

  /// Writes a line about the work to standard error.
  func note(_ line: String) {
    StandardStream.error.write(line + "\n")
  }

  /// Replaces the progress line on the terminal; silent in a pipe.
  func progress(_ text: String) {
    guard showsProgress else { return }
    StandardStream.error.write("\r\u{1b}[K" + text)
  }

  /// Clears the progress line.
  func endProgress() {
    guard showsProgress else { return }
    StandardStream.error.write("\r\u{1b}[K")
  }
}
