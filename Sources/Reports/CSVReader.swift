// CSV files of results, read back as they were written.

import Files

/// The cells of a CSV file as texts, under the names of its columns.
public struct CSVRows: Sendable, Equatable {
  /// The column names.
  public let header: [String]
  /// The rows; one that is shorter than the header lacks its last cells.
  public let rows: [[String]]

  /// Rows that exist already.
  public init(header: [String], rows: [[String]]) {
    self.header = header
    self.rows = rows
  }

  /// Reads a file.
  /// - Throws: `FileError` where it cannot be read.
  public init(path: String) throws(FileError) { self.init(parsing: try readText(at: path)) }

  /// Reads a text by RFC 4180; lines may end in LF or CRLF.
  public init(parsing text: String) {
    var records: [[String]] = []
    var (record, field): ([String], [UInt8]) = ([], [])
    var (isQuoted, isBegun) = (false, false)
    func finished(_ field: [UInt8]) -> String { String(decoding: field, as: UTF8.self) }
    let bytes = Array(text.utf8)
    var place = 0
    while place < bytes.count {
      let byte = bytes[place]
      place += 1
      if isQuoted {
        if byte == UInt8(ascii: "\"") {
          if place < bytes.count, bytes[place] == byte {
            field.append(byte)
            place += 1
          } else {
            isQuoted = false
          }
        } else {
          field.append(byte)
        }
        continue
      }
      isBegun = true
      switch byte {
      case UInt8(ascii: "\"") where field.isEmpty: isQuoted = true
      case UInt8(ascii: ","):
        record.append(finished(field))
        field = []
      case UInt8(ascii: "\r") where place < bytes.count && bytes[place] == UInt8(ascii: "\n"): break
      case UInt8(ascii: "\n"):
        records.append(record + [finished(field)])
        (record, field, isBegun) = ([], [], false)
      default: field.append(byte)
      }
    }
    if isBegun || !record.isEmpty || !field.isEmpty { records.append(record + [finished(field)]) }
    header = records.first ?? []
    rows = Array(records.dropFirst())
  }

  /// The column of a name.
  public func place(of column: String) -> Int? { header.firstIndex(of: column) }

  /// A cell; empty where there is no such column.
  public func text(_ row: Int, _ column: String) -> String {
    guard let place = place(of: column), rows.indices.contains(row), rows[row].indices.contains(place) else {
      return ""
    }
    return rows[row][place]
  }

  /// A cell as a number; nil where it is none.
  public func number(_ row: Int, _ column: String) -> Double? { Double(text(row, column)) }
}
