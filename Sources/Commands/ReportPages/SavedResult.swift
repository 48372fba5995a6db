// A folder that a command has written its results to, read back for its page.

import Files
import FoundationEssentials
import Reports

/// Results as files.
struct SavedResult {
  /// The folder.
  let folder: String
  /// summary.json; null where there is none.
  let summary: JSONValue
  /// The tables by name, without `.csv`.
  private let tables: [String: CSVRows]
  /// The names of tables, in alphabetical order.
  var tableNames: [String] { tables.keys.sorted() }
  /// The names of pictures (`.svg`), in alphabetical order.
  let pictures: [String]

  /// Reads a folder.
  /// - Throws: `FileError`, or `UsageError` for a folder without results.
  init(folder: String) throws {
    guard let names = try? FileManager.default.contentsOfDirectory(atPath: folder) else {
      throw FileError.unreadable(path: folder, reason: "there is no such folder")
    }
    self.folder = folder
    var tables: [String: CSVRows] = [:]
    for name in names where name.hasSuffix(".csv") {
      tables[String(name.dropLast(4))] = try CSVRows(path: folder + "/" + name)
    }
    self.tables = tables
    pictures = names.filter { $0.hasSuffix(".svg") }.sorted()
    let path = folder + "/summary.json"
    if names.contains("summary.json") {
      do {
        summary = try JSONValue(parsing: readText(at: path))
      } catch let error as JSONSyntaxError {
        throw FileError.unreadable(
          path: path, reason: "line \(error.line), column \(error.column): \(error.problem)")
      }
    } else {
      summary = .null
    }
    guard !tables.isEmpty || summary != .null else {
      throw UsageError.invalid("\(folder) has neither tables (.csv) nor a summary.json to make a page of")
    }
  }

  /// A JSON file of the folder; nil where there is none that can be read.
  func json(_ name: String) -> JSONValue? {
    guard let text = try? readText(at: folder + "/\(name).json") else { return nil }
    return try? JSONValue(parsing: text)
  }

  /// A table; nil where it was not written.
  func table(_ name: String) -> CSVRows? { tables[name] }

  /// The command that wrote it, as summary.json names it; empty where it does not.
  var command: String {
    let text = (summary["created_by"] ?? .null).text ?? ""
    return (summary["command"] ?? .null).text ?? text.split(separator: " ").last.map(String.init) ?? ""
  }

  /// A text of summary.json, numbers and truths as they read.
  func fact(_ key: String) -> String? {
    summary[key].flatMap { Self.text(of: $0) }
  }

  /// A number of summary.json.
  func number(_ key: String) -> Double? { summary[key]?.anyNumber }

  /// Where the result comes from: every plain member of summary.json, those of its objects too.
  var provenance: HTML { facts(Self.plain(summary, under: "")) }

  private static func plain(_ value: JSONValue, under name: String) -> [(name: String, value: String)] {
    (value.members ?? []).flatMap { member -> [(name: String, value: String)] in
      let name = (name.isEmpty ? "" : name + ": ") + member.key.replacing("_", with: " ")
      if member.value.members != nil { return plain(member.value, under: name) }
      return text(of: member.value).map { [(name, $0)] } ?? []
    }
  }

  private static func text(of value: JSONValue) -> String? {
    switch value {
    case .string(let text): text
    case .boolean(let truth): truth ? "yes" : "no"
    default: value.anyNumber.map { numberText($0) }
    }
  }
}

/// A number as a reader wants it: whole where it is whole.
func numberText(_ value: Double) -> String {
  value == value.rounded() && abs(value) < 1e15 ? "\(Int(value))" : value.text(significant: 4)
}

extension CSVRows {
  /// The table for a page: numbers to four digits, at most `limit` rows.
  func dataTable(id: String, caption: String, columns: [String]? = nil, limit: Int = 500) -> DataTable {
    let names = (columns ?? header).filter { header.contains($0) }
    let cells = rows.indices.prefix(limit).map { row in
      names.map { name -> DataTable.Cell in
        guard let value = number(row, name) else { return DataTable.Cell(text(row, name)) }
        return DataTable.Cell(numberText(value), by: value)
      }
    }
    let more = rows.count > limit ? " (the first \(limit) of \(rows.count) rows)" : ""
    return DataTable(
      id: id, caption: caption + more, header: names.map { $0.replacing("_", with: " ") }, rows: Array(cells))
  }
}
