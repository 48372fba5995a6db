// Rows of comma- or tab-separated text, every cell as it stands: blanks within cells count.
//
// Source: RFC 4180, with any line ending and with tabs or semicolons as separators too.

/// One row of a delimited text.
public struct DelimitedRow: Equatable, Sendable {
  /// The line on which the row begins, from 1.
  public var line: Int
  /// The cells, unquoted.
  public var cells: [String]
}

/// A quoted cell that does not end, or goes on after its closing quote.
public struct DelimitedTextError: Error, Equatable, Sendable {
  /// The line, from 1.
  public var line: Int
  /// What is wrong there.
  public var problem: String
}

/// The rows of a text; empty lines are left out.
///
/// - Parameter separator: the separator; nil takes the most frequent of comma, tab and semicolon in the first line.
/// - Throws: `DelimitedTextError`.
public func delimitedRows(
  _ text: String, separator: UInt8? = nil
) throws(DelimitedTextError) -> [DelimitedRow] {
  var scanner = DelimitedScanner(bytes: Array(text.utf8), separator: separator)
  return try scanner.rows()
}

private struct DelimitedScanner {
  let bytes: [UInt8]
  let separator: UInt8
  private var place = 0
  private var line = 1

  private static let (quote, newline, carriageReturn) = (UInt8(0x22), UInt8(0x0a), UInt8(0x0d))

  init(bytes: [UInt8], separator: UInt8?) {
    self.bytes = bytes
    self.separator = separator ?? Self.usualSeparator(bytes)
  }

  private static func usualSeparator(_ bytes: [UInt8]) -> UInt8 {
    var counts: [UInt8: Int] = [:]
    var isQuoted = false
    for byte in bytes {
      if byte == quote { isQuoted.toggle() }
      if isQuoted { continue }
      if byte == newline || byte == carriageReturn { break }
      counts[byte, default: 0] += 1
    }
    let candidates = [UInt8(ascii: ","), UInt8(ascii: "\t"), UInt8(ascii: ";")]
    return candidates.reversed().max { counts[$0, default: 0] < counts[$1, default: 0] } ?? candidates[0]
  }

  mutating func rows() throws(DelimitedTextError) -> [DelimitedRow] {
    var rows: [DelimitedRow] = []
    while place < bytes.count {
      let first = line
      var cells = [try cell()]
      while place < bytes.count, bytes[place] == separator {
        place += 1
        cells.append(try cell())
      }
      endLine()
      if cells != [""] { rows.append(DelimitedRow(line: first, cells: cells)) }
    }
    return rows
  }

  private mutating func endLine() {
    if place < bytes.count, bytes[place] == Self.carriageReturn { place += 1 }
    if place < bytes.count, bytes[place] == Self.newline { place += 1 }
    line += 1
  }

  private func endsCell(_ byte: UInt8) -> Bool {
    byte == separator || byte == Self.newline || byte == Self.carriageReturn
  }

  private mutating func cell() throws(DelimitedTextError) -> String {
    guard place < bytes.count, bytes[place] == Self.quote else {
      let start = place
      while place < bytes.count, !endsCell(bytes[place]) { place += 1 }
      return String(decoding: bytes[start..<place], as: UTF8.self)
    }
    let first = line
    var content: [UInt8] = []
    place += 1
    while true {
      guard place < bytes.count else {
        throw DelimitedTextError(line: first, problem: "a quoted cell begins here and does not end")
      }
      let byte = bytes[place]
      place += 1
      if byte == Self.newline { line += 1 }
      guard byte == Self.quote else {
        content.append(byte)
        continue
      }
      guard place < bytes.count, bytes[place] == Self.quote else { break }
      content.append(byte)
      place += 1
    }
    guard place == bytes.count || endsCell(bytes[place]) else {
      throw DelimitedTextError(line: line, problem: "a quoted cell goes on after its closing quote")
    }
    return String(decoding: content, as: UTF8.self)
  }
}
