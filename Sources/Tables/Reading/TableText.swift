// A table's text with its rows found: the cells of a row, one after the other.

import Files

/// The bytes of a table, its separator and its rows. Valid as long as the bytes are.
struct TableText: @unchecked Sendable {
  let path: String
  let base: UnsafePointer<UInt8>
  let separator: UInt8
  private(set) var rows: RowIndex
  /// The spellings of "missing", apart from an empty cell.
  let missing: MissingCells
  /// The file whose map the bytes are; nil where they are memory of their own.
  let file: MappedFile?

  /// Looks at the first bytes and finds the rows.
  init(
    path: String, bytes: UnsafeRawBufferPointer, separator: UInt8, file: MappedFile?, options: TableOptions
  ) throws(TableError) {
    guard let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), !bytes.isEmpty else {
      throw .empty(path: path)
    }
    let from = bytes.starts(with: [0xef, 0xbb, 0xbf]) ? 3 : 0
    self.path = path
    self.base = base
    self.file = file
    self.separator = separator
    rows = try RowIndex(bytes, from: from, separator: separator)
    file?.release(0..<bytes.count)
    missing = MissingCells(options)
    guard rows.count > 0 else { throw .empty(path: path) }
  }

  /// Some of the rows, in rising order, as a text of their own.
  func choosing(_ rows: some Collection<Int>) -> TableText {
    var chosen = self
    chosen.rows = self.rows.choosing(rows)
    return chosen
  }

  /// Where a cell's content lies, and where the cell ends.
  struct Cell {
    /// The content, without quotes or surrounding blanks.
    var content: UnsafeBufferPointer<UInt8>
    /// Whether doubled quotes stand for single ones.
    var hasEscapes = false
    /// The separator after the cell, or the row's end.
    var next: UnsafePointer<UInt8>

    /// The content as text.
    var text: String {
      if !hasEscapes { return String(decoding: content, as: UTF8.self) }
      var bytes: [UInt8] = []
      var skip = false
      for byte in content {
        skip = byte == 0x22 && !skip
        if !skip { bytes.append(byte) }
      }
      return String(decoding: bytes, as: UTF8.self)
    }
  }

  /// The cell that starts at `start` in a row that ends at `end`.
  @inline(__always)
  func cell(at start: UnsafePointer<UInt8>, end: UnsafePointer<UInt8>) -> Cell {
    if start < end, start.pointee == 0x22 { return quotedCell(at: start, end: end) }
    var next = start
    while next < end, next.pointee != separator { next += 1 }
    var (first, last) = (start, next)
    while first < last, first.pointee == 0x20 || first.pointee == 0x09 { first += 1 }
    while last > first, (last - 1).pointee == 0x20 || (last - 1).pointee == 0x09 { last -= 1 }
    return Cell(content: UnsafeBufferPointer(start: first, count: last - first), next: next)
  }

  private func quotedCell(at start: UnsafePointer<UInt8>, end rowEnd: UnsafePointer<UInt8>) -> Cell {
    var at = start + 1
    var hasEscapes = false
    while at < rowEnd {
      if at.pointee == 0x22 {
        guard at + 1 < rowEnd, (at + 1).pointee == 0x22 else { break }
        hasEscapes = true
        at += 1
      }
      at += 1
    }
    // The row index has checked that the quote closes.
    let last = min(at, rowEnd)
    var next = last
    while next < rowEnd, next.pointee != separator { next += 1 }
    var (first, end) = (start + 1, last)
    // Blanks around a quoted cell's text are as little meant as those around a plain one's.
    while first < end, first.pointee == 0x20 || first.pointee == 0x09 { first += 1 }
    while end > first, (end - 1).pointee == 0x20 || (end - 1).pointee == 0x09 { end -= 1 }
    let content = UnsafeBufferPointer(start: first, count: max(0, end - first))
    return Cell(content: content, hasEscapes: hasEscapes, next: next)
  }

  /// The first and last place of a row.
  @inline(__always)
  func bounds(_ row: Int) -> (start: UnsafePointer<UInt8>, end: UnsafePointer<UInt8>) {
    let range = rows.range(row, base)
    return (base + range.lowerBound, base + range.upperBound)
  }

  /// Goes through the cells of a row.
  func forEachCell(_ row: Int, _ body: (Int, Cell) -> Void) {
    let (start, end) = bounds(row)
    var at = start
    var column = 0
    while true {
      let cell = cell(at: at, end: end)
      body(column, cell)
      guard cell.next < end else { return }
      at = cell.next + 1
      column += 1
    }
  }

  /// All cells of a row.
  func cells(_ row: Int) -> [Cell] {
    var cells: [Cell] = []
    forEachCell(row) { cells.append($1) }
    return cells
  }

  /// Lets go of the pages of rows that have been read; they come back if they are looked at again.
  ///
  /// - Parameters:
  ///   - row: the first row that has not been read.
  ///   - released: the first row that has not been let go of.
  /// - Returns: the new first row that has not been let go of.
  func releasing(_ row: Int, since released: Int) -> Int {
    guard let file else { return row }
    let (start, end) = (rows.starts[released], row < rows.count ? rows.starts[row] : rows.end)
    guard end - start >= 1 << 22 || row == rows.count else { return released }
    file.release(start..<end)
    return row
  }

  /// The line that a row starts on, counted from 1.
  func line(ofRow row: Int) -> Int { lineNumber(base, rows.starts[row]) }
}
