// CSV as RFC 4180 has it, with LF line ends: the form that pandas and spreadsheets read alike.

import Files

/// A cell of a CSV file.
public enum CSVCell: Sendable, Equatable {
  case text(String)
  case integer(Int)
  /// Written in the shortest form that reads back as the same number; NaN becomes an empty cell.
  case number(Double)
  /// `true` or `false`.
  case boolean(Bool)
  case empty

  var field: String {
    switch self {
    case .text(let text): quoted(text)
    case .integer(let value): String(value)
    case .number(let value): value.isNaN ? "" : "\(value)"
    case .boolean(let value): value ? "true" : "false"
    case .empty: ""
    }
  }
}

/// A table of cells under a header.
public struct CSVDocument: Sendable, Equatable {
  /// The column names.
  public let header: [String]
  /// The rows, each as long as the header.
  public private(set) var rows: [[CSVCell]] = []

  /// An empty document with the given columns.
  public init(header: [String]) {
    self.header = header
  }

  /// Adds a row.
  /// - Precondition: the row is as long as the header.
  public mutating func append(_ row: [CSVCell]) {
    precondition(row.count == header.count, "\(row.count) cells under \(header.count) columns")
    rows.append(row)
  }

  /// The document's text, header first, each line ended by LF.
  public var text: String {
    var text = header.map(quoted).joined(separator: ",") + "\n"
    for row in rows {
      text += row.map(\.field).joined(separator: ",") + "\n"
    }
    return text
  }

  /// Writes the document atomically.
  public func write(to path: String) throws(FileError) {
    try writeFile(text, to: path)
  }
}

private func quoted(_ text: String) -> String {
  let needsQuotes = text.utf8.contains { byte in
    byte == UInt8(ascii: ",") || byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\n")
      || byte == UInt8(ascii: "\r")
  }
  guard needsQuotes || text.first == " " || text.last == " " else { return text }
  let doubled = text.split(separator: "\"", omittingEmptySubsequences: false).joined(separator: "\"\"")
  return "\"\(doubled)\""
}
