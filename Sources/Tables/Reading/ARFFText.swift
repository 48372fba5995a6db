// Weka's ARFF: attributes are declared, then come lines of cells.

/// ARFF as lines of cells under a line of names.
enum ARFFText {
  /// Whether a text's beginning looks like ARFF.
  static func recognises(_ beginning: String) -> Bool {
    for line in beginning.split(whereSeparator: \.isNewline) {
      let words = line.drop(while: \.isWhitespace)
      if words.isEmpty || words.hasPrefix("%") { continue }
      return words.lowercased().hasPrefix("@relation")
    }
    return false
  }

  /// - Throws: `TableError.otherFormat` for sparse data.
  static func cells(_ bytes: UnsafeRawBufferPointer, path: String) throws(TableError) -> [UInt8] {
    var names: [String] = []
    var rows: [String] = []
    var inData = false
    for line in String(decoding: bytes, as: UTF8.self).split(whereSeparator: \.isNewline) {
      let words = line.drop(while: \.isWhitespace)
      if words.isEmpty || words.hasPrefix("%") { continue }
      if inData {
        guard words.first != "{" else {
          throw .otherFormat(
            path: path, format: "a sparse ARFF file", way: "save it with all cells written out")
        }
        rows.append(split(words, at: ",").map(TableContainer.cell).joined(separator: ","))
      } else if words.lowercased().hasPrefix("@data") {
        inData = true
      } else if words.lowercased().hasPrefix("@attribute") {
        let rest = words.dropFirst("@attribute".count).drop(while: \.isWhitespace)
        names.append(split(rest, at: " ").first ?? "")
      }
    }
    let header = names.map(TableContainer.cell).joined(separator: ",")
    return Array(([header] + rows).joined(separator: "\n").utf8)
  }

  /// Cells of a line, of which some may stand in single or double quotes.
  private static func split(_ line: Substring, at separator: Character) -> [String] {
    var cells: [String] = []
    var cell = ""
    var quote: Character?
    var wasQuoted = false
    var escaped = false
    func finish() {
      var text = cell[...]
      if !wasQuoted {
        text = text.drop(while: \.isWhitespace)
        while let last = text.last, last.isWhitespace { text.removeLast() }
      }
      cells.append(String(text))
      (cell, wasQuoted) = ("", false)
    }
    for character in line {
      if escaped {
        cell.append(character)
        escaped = false
      } else if character == "\\", quote != nil {
        escaped = true
      } else if let open = quote {
        if character == open { quote = nil } else { cell.append(character) }
      } else if (character == "'" || character == "\""), cell.allSatisfy(\.isWhitespace) {
        (quote, wasQuoted, cell) = (character, true, "")
      } else if character == separator || separator == " " && character == "\t" {
        finish()
      } else if !wasQuoted || !character.isWhitespace {
        cell.append(character)
      }
    }
    finish()
    return cells
  }
}
