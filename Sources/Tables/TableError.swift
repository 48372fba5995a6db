// What can go wrong in this module, with the values that explain it. Lines and columns count from 1.

/// A failure in `Tables`.
public enum TableError: Error, Equatable, Sendable {
  /// The file holds no row.
  case empty(path: String)
  /// There is a header and nothing below it.
  case noRows(path: String)
  /// The target is the only column.
  case noFeatures(path: String)
  /// A quote is opened and never closed.
  case unclosedQuote(line: Int)
  /// A row has another number of cells than the first.
  case raggedRow(path: String, line: Int, cells: Int, expected: Int)
  /// Two columns have the target's name.
  case duplicateColumn(path: String, name: String, first: Int, second: Int)
  /// A column that an option names is not there.
  case noSuchColumn(path: String, name: String, nearest: String?)
  /// A number is infinite or too large for float32.
  case infiniteNumber(path: String, line: Int, column: String)
  /// The file holds more rows than can be counted in 32 bits.
  case tooManyRows(path: String)
  /// Every column besides the target is left out.
  case everythingLeftOut(path: String, columns: [String])
  /// A text that the user says means "missing" stands in no cell.
  case missingTextNotMet(path: String, text: String)
  /// The file is of a known kind that is not read; `way` says what to do.
  case otherFormat(path: String, format: String, way: String)
  /// A line of records is broken.
  case brokenRecord(path: String, line: Int, problem: String)
  /// An option that names columns has no effect on this one.
  case optionWithoutEffect(path: String, option: String, column: String, reason: String)
  /// Every cell of the target is missing.
  case targetMissing(path: String, name: String)
  /// The target is text of more different values than classes may be.
  case tooManyClasses(path: String, name: String, limit: Int)
  /// A quantity is asked for, and the target is text.
  case targetNotNumeric(path: String, name: String)
  /// A model needs a column that the table does not have.
  case missingFeature(String, nearest: String?)
  /// A model needs numbers where the table has text, or the other way round.
  case wrongKind(feature: String, wantsNumbers: Bool)
  /// There are fewer groups of rows than folds.
  case tooFewGroups(groups: Int, folds: Int)
}
