// libsvm's lines: a label, then `index:value` for every cell that is not 0.

/// Sparse lines as lines of cells; the label becomes the last column.
enum SparseLines {
  /// Whether a text's first line is one of labels and indexed values.
  static func recognises(_ beginning: Substring) -> Bool {
    guard let line = beginning.split(maxSplits: 1, whereSeparator: \.isNewline).first else { return false }
    let words = line.split(whereSeparator: \.isWhitespace)
    guard words.count > 1, Double(words[0]) != nil else { return false }
    return words.dropFirst().prefix(20).allSatisfy {
      pair($0) != nil || $0.hasPrefix("qid:") || $0.hasPrefix("#")
    }
      && words.contains { pair($0) != nil }
  }

  private static func pair(_ word: Substring) -> (index: Int, value: Substring)? {
    guard let colon = word.firstIndex(of: ":"), let index = Int(word[..<colon]), index >= 0,
      Double(word[word.index(after: colon)...]) != nil
    else { return nil }
    return (index, word[word.index(after: colon)...])
  }

  /// - Throws: `TableError.brokenRecord` naming the line.
  static func cells(_ bytes: UnsafeRawBufferPointer, path: String) throws(TableError) -> [UInt8] {
    var rows: [(label: Substring, cells: [(index: Int, value: Substring)])] = []
    let text = String(decoding: bytes, as: UTF8.self)
    var (least, most) = (Int.max, -1)
    for (number, line) in text.split(omittingEmptySubsequences: false, whereSeparator: \.isNewline)
      .enumerated()
    {
      let words = line.split(whereSeparator: \.isWhitespace)
      guard let label = words.first, !label.hasPrefix("#") else { continue }
      var cells: [(index: Int, value: Substring)] = []
      for word in words.dropFirst() {
        if word.hasPrefix("#") { break }
        if word.hasPrefix("qid:") { continue }
        guard let cell = pair(word), cell.index < 1 << 20 else {
          throw .brokenRecord(
            path: path, line: number + 1, problem: "'\(word.prefix(40))' is not index:value")
        }
        (least, most) = (min(least, cell.index), max(most, cell.index))
        cells.append(cell)
      }
      rows.append((label, cells))
    }
    guard most >= 0 else { throw .noRows(path: path) }
    guard rows.count * (most + 1) < 1 << 31 else {
      throw .otherFormat(
        path: path, format: "a libsvm file of \(rows.count) rows × \(most + 1) features",
        way: "choose fewer features first")
    }
    // Indices count from 1 as a rule, from 0 in some files.
    let first = least == 0 ? 0 : 1
    var result = (first...most).map { "f\($0)" }.joined(separator: ",") + ",label\n"
    for row in rows {
      var cells = [Substring](repeating: "0", count: most - first + 1)
      for cell in row.cells { cells[cell.index - first] = cell.value }
      result += cells.joined(separator: ",") + ",\(row.label)\n"
    }
    return Array(result.utf8)
  }
}
