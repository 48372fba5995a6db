// Fields of prompts in a file beside a recording: a table with named columns, or JSON lines.

import Files

/// Values by field, one record for each prompt of a recording.
public struct FieldFile: Sendable, Equatable {
  /// The file.
  public let path: String
  /// The fields' names, in order.
  public let names: [String]
  /// The text of each field in each record; nil where the record has none.
  public let records: [[String: String]]
  /// The line of each record.
  public let lines: [Int]

  /// Reads a file; its first sign says whether it holds JSON lines or a table.
  /// - Throws: `FileError`; `ProbeError.badLine` with the line for what cannot be read.
  public init(path: String) throws {
    try self.init(text: readText(at: path), path: path)
  }

  /// Reads a file's text.
  /// - Throws: `ProbeError.badLine`.
  public init(text: String, path: String) throws(ProbeError) {
    let text = text.hasPrefix("\u{feff}") ? String(text.unicodeScalars.dropFirst()) : text
    let isJSON = text.utf8.first { ![0x20, 0x09, 0x0a, 0x0d].contains($0) } == UInt8(ascii: "{")
    let read = try isJSON ? Self.lines(of: text, path: path) : Self.rows(of: text, path: path)
    self.path = path
    names = read.names
    records = read.records
    lines = read.lines
  }

  private typealias Read = (names: [String], records: [[String: String]], lines: [Int])

  private static func rows(of text: String, path: String) throws(ProbeError) -> Read {
    let rows: [DelimitedRow]
    do {
      rows = try delimitedRows(text, separator: path.hasSuffix(".tsv") ? UInt8(ascii: "\t") : nil)
    } catch {
      throw .badLine(path: path, line: error.line, problem: error.problem)
    }
    guard let header = rows.first else { throw .badLine(path: path, line: 1, problem: "the file is empty") }
    guard Set(header.cells).count == header.cells.count else {
      throw .badLine(path: path, line: header.line, problem: "two columns have one name")
    }
    var records: [[String: String]] = []
    for row in rows.dropFirst() {
      guard row.cells.count == header.cells.count else {
        throw .badLine(
          path: path, line: row.line,
          problem: "it has \(row.cells.count) cells, and the header names \(header.cells.count) columns")
      }
      records.append(
        Dictionary(uniqueKeysWithValues: zip(header.cells, row.cells).filter { !$0.1.isEmpty }))
    }
    return (header.cells, records, rows.dropFirst().map(\.line))
  }

  private static func lines(of text: String, path: String) throws(ProbeError) -> Read {
    var read: Read = ([], [], [])
    var known: Set<String> = []
    for (index, line) in text.utf8.split(omittingEmptySubsequences: false, whereSeparator: { $0 == 0x0a })
      .enumerated()
    {
      guard line.contains(where: { ![0x20, 0x09, 0x0d].contains($0) }) else { continue }
      let value: JSONValue
      do {
        value = try JSONValue(parsing: String(Substring(line)))
      } catch {
        throw .badLine(path: path, line: index + 1, problem: "column \(error.column): \(error.problem)")
      }
      guard let members = value.members else {
        throw .badLine(path: path, line: index + 1, problem: "an object is needed, not \(value.kind)")
      }
      var record: [String: String] = [:]
      for member in members where member.value != .null {
        if known.insert(member.key).inserted { read.names.append(member.key) }
        record[member.key] = member.value.text ?? member.value.line
      }
      read.records.append(record)
      read.lines.append(index + 1)
    }
    return read
  }
}
