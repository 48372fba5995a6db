// JSON records, one a line or in one list: each key is a column.

import Files

/// JSON objects as lines of cells.
struct RecordLines {
  /// Names and cells, separated by commas.
  let text: [UInt8]

  /// - Throws: `TableError.brokenRecord` naming the line.
  init(_ bytes: UnsafeRawBufferPointer, path: String) throws(TableError) {
    let whole = String(decoding: bytes, as: UTF8.self)
    var records: [[JSONMember]] = []
    if whole.drop(while: { $0.isWhitespace || $0 == "\u{feff}" }).first == "[" {
      let list: JSONValue
      do throws(JSONSyntaxError) { list = try JSONValue(parsing: whole) } catch {
        throw .brokenRecord(path: path, line: error.line, problem: error.problem)
      }
      for element in list.elements ?? [] {
        guard let members = element.members else {
          throw .brokenRecord(path: path, line: 1, problem: "the list holds \(element.kind) besides objects")
        }
        records.append(members)
      }
    } else {
      for (number, line) in whole.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
        .enumerated()
      {
        guard !line.allSatisfy(\.isWhitespace) else { continue }
        let value: JSONValue
        do throws(JSONSyntaxError) { value = try JSONValue(parsing: String(line)) } catch {
          throw .brokenRecord(path: path, line: number + 1, problem: error.problem)
        }
        guard let members = value.members else {
          throw .brokenRecord(
            path: path, line: number + 1, problem: "it holds \(value.kind) where an object is needed")
        }
        records.append(members)
      }
    }
    var places: [String: Int] = [:]
    var names: [String] = []
    for member in records.joined() where places[member.key] == nil {
      places[member.key] = names.count
      names.append(member.key)
    }
    var result = names.map(TableContainer.cell).joined(separator: ",") + "\n"
    for record in records {
      var cells = [String](repeating: "", count: names.count)
      for member in record { cells[places[member.key] ?? 0] = TableContainer.cell(Self.text(member.value)) }
      result += cells.joined(separator: ",") + "\n"
    }
    text = Array(result.utf8)
  }

  private static func text(_ value: JSONValue) -> String {
    switch value {
    case .null: ""
    case .boolean(let truth): truth ? "True" : "False"
    case .string(let text): text
    default: value.line
    }
  }
}
