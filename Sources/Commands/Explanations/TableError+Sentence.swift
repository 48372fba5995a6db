import Tables

extension TableError: ExplainedError {
  var sentence: String {
    switch self {
    case .empty(let path): "\(path) holds no rows"
    case .notUTF8(let path): "\(path) is UTF-16 text; save it as UTF-8"
    case .noRows(let path): "\(path) has a header but no rows below it"
    case .noFeatures(let path): "\(path) has no column besides the target"
    case .unclosedQuote(let line): "a quote opened on line \(line) is never closed"
    case .raggedRow(let path, let line, let cells, let expected):
      "line \(line) of \(path) has \(cells) cells where the first row has \(expected)"
    case .duplicateColumn(let path, let name, let first, let second):
      "columns \(first) and \(second) of \(path) are both called '\(name)'"
    case .noSuchColumn(let path, let name, let nearest):
      "\(path) has no column '\(name)'" + suggestion(nearest)
    case .infiniteNumber(let path, let line, let column):
      "line \(line) of \(path), column '\(column)': the number is infinite or too large"
    case .textAmongNumbers(let path, let line, let column, let text):
      "line \(line) of \(path), column '\(column)': '\(text)' is not a number, as the column's others are; "
        + "name the column with --categorical or --exclude, or the text with --missing"
    case .targetMissing(let path, let name): "every cell of the target '\(name)' in \(path) is missing"
    case .tooManyClasses(let path, let name, let limit):
      "the target '\(name)' in \(path) holds more than \(limit) different texts, too many for classes"
    case .targetNotNumeric(let path, let name):
      "the target '\(name)' in \(path) is text; a regression needs numbers"
    case .missingFeature(let name, let nearest):
      "the table has no column '\(name)', which the model needs" + suggestion(nearest)
    case .wrongKind(let feature, true):
      "column '\(feature)' holds text where the model needs numbers"
    case .wrongKind(let feature, false):
      "column '\(feature)' holds numbers where the model needs categories"
    case .tooFewGroups(let groups, let folds):
      "\(groups) different rows cannot be split into \(folds) parts"
    }
  }

  private func suggestion(_ nearest: String?) -> String {
    nearest.map { "; did you mean '\($0)'?" } ?? ""
  }
}
