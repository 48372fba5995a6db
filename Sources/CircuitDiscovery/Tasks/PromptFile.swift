// A file of prompts, in whichever of the usual forms: JSON lines, a JSON list, or a table with named columns.

import Files

/// Prompts as a file has them.
public struct PromptFile: Sendable {
  /// How a file is laid out.
  public enum Form: String, Sendable {
    case lines = "JSON lines"
    case list = "a JSON list"
    case table = "a table"
  }

  /// Where the prompts come from, for messages.
  public let path: String
  /// How the file is laid out.
  public let form: Form
  /// The prompts, in order; a prompt with a corrupted one beside it is followed by that.
  public private(set) var prompts: [Prompt] = []
  /// Where each prompt stands: its line, or its place in a list counted from 1.
  public private(set) var places: [Int] = []
  /// Names of fields or columns that mean nothing here.
  public private(set) var ignored: [String] = []

  /// Reads a file; `-` is standard input.
  /// - Throws: `FileError`; `TaskError` with the line for what cannot be read; `noPrompts` for a file without any.
  public init(path: String) throws {
    let text = path == "-" ? try readStandardInput() : try readText(at: path)
    try self.init(text: text, path: path == "-" ? "standard input" : path)
  }

  /// Reads the text of a file.
  ///
  /// The form shows in the text: a list begins with `[`, lines with `{`, and a table with the names of its columns. A
  /// byte-order mark and any line ending are accepted.
  /// - Parameter path: for messages; one that ends in `.tsv` has tabs between its cells.
  public init(text: String, path: String) throws(TaskError) {
    self.path = path
    let text = text.hasPrefix("\u{feff}") ? String(text.unicodeScalars.dropFirst()) : text
    let first = text.utf8.first { ![0x20, 0x09, 0x0a, 0x0d].contains($0) }
    let isJSON = [".jsonl", ".json", ".ndjson"].contains { path.hasSuffix($0) }
    switch first {
    case UInt8(ascii: "["):
      form = .list
      try readList(text)
    case UInt8(ascii: "{"):
      form = .lines
      try readLines(text)
    case .some where !isJSON:
      form = .table
      try readTable(text)
    default:
      form = .lines
      try readLines(text)
    }
    guard !prompts.isEmpty else { throw .noPrompts(source: path) }
  }

  private mutating func readLines(_ text: String) throws(TaskError) {
    let lines = text.utf8.split(omittingEmptySubsequences: false) { $0 == UInt8(ascii: "\n") }
    for (index, line) in lines.enumerated() {
      let line = line.last == UInt8(ascii: "\r") ? line.dropLast() : line
      guard line.contains(where: { $0 != 0x20 && $0 != 0x09 && $0 != 0x0d }) else { continue }
      let value: JSONValue
      do {
        value = try JSONValue(parsing: String(Substring(line)))
      } catch {
        throw .badLine(path: path, line: index + 1, problem: "column \(error.column): \(error.problem)")
      }
      try append(value, line: index + 1)
    }
  }

  private mutating func readList(_ text: String) throws(TaskError) {
    let list: JSONValue
    do {
      list = try JSONValue(parsing: text)
    } catch {
      throw .notJSON(path: path, line: error.line, column: error.column, problem: error.problem)
    }
    for (index, value) in (list.elements ?? []).enumerated() {
      let path = path
      let reader = FieldReader(value) { field, problem in
        .badField(path: path, field: "[\(index)]" + (field.isEmpty ? "" : "." + field), problem: problem)
      }
      try append(reader, place: index + 1)
    }
  }

  private mutating func append(_ value: JSONValue, line: Int) throws(TaskError) {
    let path = path
    let reader = FieldReader(value) { field, problem in
      .badLine(path: path, line: line, problem: field.isEmpty ? problem : "\(field): \(problem)")
    }
    try append(reader, place: line)
  }

  private mutating func append(_ reader: FieldReader, place: Int) throws(TaskError) {
    let record = try PromptRecord(reader)
    let read = try record.prompts(pair: prompts.count)
    prompts += read
    places += read.map { _ in place }
    for name in record.ignored where !ignored.contains(name) { ignored.append(name) }
  }
}

// Tables.
extension PromptFile {
  private mutating func readTable(_ text: String) throws(TaskError) {
    let rows: [DelimitedRow]
    do {
      rows = try delimitedRows(text, separator: path.hasSuffix(".tsv") ? UInt8(ascii: "\t") : nil)
    } catch {
      throw .badLine(path: path, line: error.line, problem: error.problem)
    }
    guard let header = rows.first else { return }
    let names = header.cells
    let known = names.compactMap(PromptField.init)
    guard known.contains(where: { [.prompt, .tokens].contains($0) }) else {
      throw .badLine(
        path: path, line: header.line,
        problem:
          "a column of prompts is needed, named \(PromptField.prompt.names.joined(separator: ", ")) or tokens; "
          + "there are \(names.map { "'\($0)'" }.joined(separator: ", "))")
    }
    guard known.contains(where: { [.label, .corrupted, .corruptedTokens].contains($0) }) else {
      throw .badLine(
        path: path, line: header.line,
        problem:
          "a column 'label' (1 for prompts that call for the behaviour, 0 for others) or 'corrupted' (each "
          + "prompt's twin) is needed")
    }
    for row in rows.dropFirst() {
      guard row.cells.count == names.count else {
        throw .badLine(
          path: path, line: row.line,
          problem: "it has \(row.cells.count) cells, and the header names \(names.count) columns")
      }
      try append(.object(members(names, row.cells)), line: row.line)
    }
  }

  /// A row as an object; the first column without a name is the index that pandas writes.
  private func members(_ names: [String], _ cells: [String]) -> [JSONMember] {
    zip(names, cells).compactMap { name, cell in
      guard !name.isEmpty, !name.hasPrefix("Unnamed: ") else { return nil }
      let field = PromptField(named: name)
      if cell.isEmpty { return JSONMember(name, .null) }
      guard field?.isStructured == true, let value = try? JSONValue(parsing: cell) else {
        return JSONMember(name, .string(cell))
      }
      // pandas writes whole numbers as 5.0 where a column has gaps.
      return JSONMember(name, value.wholeNumber.map { .integer($0) } ?? value)
    }
  }
}

extension PromptFile {
  /// Whether a path names a file of prompts rather than a task: by its ending, or by its text where that says nothing.
  public static func isPromptFile(_ path: String) -> Bool {
    if path == "-" || [".jsonl", ".ndjson", ".csv", ".tsv"].contains(where: { path.hasSuffix($0) }) {
      return true
    }
    guard path.hasSuffix(".json"), let text = try? readText(at: path) else { return false }
    let start = text.unicodeScalars.drop { $0 == "\u{feff}" || $0.properties.isWhitespace }
    if start.first == "[" { return true }
    // A spec is one object over many lines; a line that is an object by itself is a prompt.
    guard let line = start.split(separator: "\n", maxSplits: 1).first,
      let members = (try? JSONValue(parsing: String(String.UnicodeScalarView(line))))?.members
    else { return false }
    return members.contains { PromptField(named: $0.key) == .prompt || $0.key == "tokens" }
  }
}

/// Reads a file of prompts, in any form.
/// - Throws: as `PromptFile.init(path:)`.
public func readPrompts(at path: String) throws -> [Prompt] { try PromptFile(path: path).prompts }

/// Reads prompts from the text of a file; `path` is for messages.
public func parsePrompts(_ text: String, path: String) throws(TaskError) -> [Prompt] {
  try PromptFile(text: text, path: path).prompts
}
