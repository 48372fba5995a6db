// Where text goes: results to standard output, everything else to standard error.

import Foundation

/// The two output streams of the process.
struct Console: Sendable {
  /// Whether standard error is a terminal, so that progress may be shown.
  let showsProgress: Bool

  init() {
    showsProgress = isatty(2) == 1
  }

  /// Writes a line of results to standard output.
  func print(_ line: String) {
    FileHandle.standardOutput.write(Data((line + "\n").utf8))
  }

  /// Writes a line about the work to standard error.
  func note(_ line: String) {
    FileHandle.standardError.write(Data((line + "\n").utf8))
  }

  /// Replaces the progress line on the terminal; silent in a pipe.
  func progress(_ text: String) {
    guard showsProgress else { return }
    FileHandle.standardError.write(Data("\r\u{1b}[K\(text)".utf8))
  }

  /// Clears the progress line.
  func endProgress() {
    guard showsProgress else { return }
    FileHandle.standardError.write(Data("\r\u{1b}[K".utf8))
  }
}
