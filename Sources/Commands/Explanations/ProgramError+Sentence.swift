import Files
import TabularExplainer

extension ProgramError: ExplainedError {
  var sentence: String {
    switch self {
    case .timedOut(let command, let seconds, let lastLine):
      "'\(command)' was still running after \(seconds.text(significant: 3)) s and was ended"
        + saying(lastLine)
    case .failed(let command, 127, let lastLine):
      "'\(command)' could not be run (exit code 127)" + saying(lastLine)
    case .failed(let command, let code, let lastLine):
      "'\(command)' failed with exit code \(code)" + saying(lastLine)
    case .killed(let command, let signal, let lastLine):
      "'\(command)' was ended by signal \(signal)" + saying(lastLine)
    case .wroteTooMuch(let command): "'\(command)' wrote far more than probabilities take and was ended"
    case .rowCount(let command, let expected, let found, let lastLine):
      "'\(command)' answered \(found) rows where \(expected) were asked" + saying(lastLine)
    case .columnCount(let command, let line, let expected, let found):
      "line \(line) of the answer of '\(command)' has \(found) columns where \(expected) are needed"
    case .notANumber(let command, let line, let text):
      "line \(line) of the answer of '\(command)' holds '\(text)' where a number is needed"
    case .notProbabilities(let command, let line, let sum):
      "line \(line) of the answer of '\(command)' holds no probabilities: they add up to "
        + sum.text(significant: 6)
    }
  }

  private func saying(_ lastLine: String) -> String {
    lastLine.isEmpty ? "" : "; its last words: \(lastLine)"
  }
}
