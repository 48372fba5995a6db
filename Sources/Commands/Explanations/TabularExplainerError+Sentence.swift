import TabularExplainer

extension TabularExplainerError: ExplainedError {
  var sentence: String {
    switch self {
    case .nothingToLearn(let rows, let features):
      "there is nothing to learn from \(rows) rows with a target and \(features) features"
    case .unknownRow(let row):
      "predictions were given for the table's own rows only; row \(row + 1) of what is asked is none of them"
    }
  }
}
