import Tables

extension TableError: ExplainedError {
  var exitCode: Int32 {
    switch self {
    case .optionWithoutEffect, .missingTextNotMet: 2
    default: 1
    }
  }

  var sentence: String {
    switch self {
    case .empty(let path): "\(path) holds no rows"
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
    case .tooManyRows(let path): "\(path) holds more than 2,147,483,647 rows"
    case .everythingLeftOut(let path, let columns):
      "every column of \(path) besides the target is empty or tells every row from every other: "
        + columns.prefix(5).map { "'\($0)'" }.joined(separator: ", ") + "; --keep COLUMN makes one a feature"
    case .missingTextNotMet(let path, let text):
      "--missing: no cell of \(path) is '\(text)', so it has no effect"
    case .otherFormat(let path, let format, let way): "\(path) is \(format); \(way)"
    case .brokenRecord(let path, let line, let problem): "line \(line) of \(path): \(problem)"
    case .optionWithoutEffect(_, let option, let column, let reason):
      "--\(option): '\(column)' \(reason), so the option has no effect"
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
