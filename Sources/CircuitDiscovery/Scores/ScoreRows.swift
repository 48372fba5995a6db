// Tables of scores as CSV, read with the line and the column of what is wrong.

/// The rows of a table with named columns.
struct ScoreRows {
  /// The names of the columns.
  let header: [String]
  /// The rows that are not blank.
  let rows: [Row]
  /// How many lines the text has.
  let lineCount: Int

  /// Reads a text whose first line names the columns.
  /// - Parameters:
  ///   - path: for messages.
  ///   - columns: those that must be there, in any order and among others.
  /// - Throws: `ScoreError.badTable`.
  init(parsing text: String, path: String, columns: [String]) throws(ScoreError) {
    let lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
    lineCount = lines.count
    header = Self.cells(lines.first ?? "")
    var places: [String: Int] = [:]
    for (place, name) in header.enumerated() {
      guard places.updateValue(place, forKey: name) == nil else {
        throw .badTable(path: path, line: 1, column: name, problem: "the column stands there twice")
      }
    }
    for name in columns where places[name] == nil {
      let problem = "the column is missing; there are \(header.joined(separator: ", "))"
      throw .badTable(path: path, line: 1, column: name, problem: problem)
    }
    var rows: [Row] = []
    for (index, line) in lines.enumerated().dropFirst() where !line.allSatisfy(\.isWhitespace) {
      let row = Row(path: path, line: index + 1, cells: Self.cells(line), places: places)
      guard row.cells.count == header.count else {
        throw row.error("", "\(row.cells.count) cells under \(header.count) columns")
      }
      rows.append(row)
    }
    self.rows = rows
  }

  private static func cells(_ line: Substring) -> [String] {
    line.split(separator: ",", omittingEmptySubsequences: false).map { cell in
      let isQuoted = cell.count >= 2 && cell.first == "\"" && cell.last == "\""
      return String(isQuoted ? cell.dropFirst().dropLast() : cell)
    }
  }

  /// One line of the table.
  struct Row {
    fileprivate let path: String
    fileprivate let line: Int
    fileprivate let cells: [String]
    fileprivate let places: [String: Int]

    /// What is wrong with a cell of this line.
    func error(_ column: String, _ problem: String) -> ScoreError {
      .badTable(path: path, line: line, column: column, problem: problem)
    }

    /// The text under a column; empty where the table has no such column.
    func cell(_ column: String) -> String { places[column].map { cells[$0] } ?? "" }

    /// A number that counts from 0.
    func index(_ column: String) throws(ScoreError) -> Int {
      guard let value = Int(cell(column)), (0..<10_000).contains(value) else {
        throw error(column, "a whole number from 0 is needed, not '\(cell(column))'")
      }
      return value
    }

    /// A number.
    func number(_ column: String) throws(ScoreError) -> Double {
      guard let value = Double(cell(column)), !value.isNaN else {
        throw error(column, "a number is needed, not '\(cell(column))'")
      }
      return value
    }
  }
}
