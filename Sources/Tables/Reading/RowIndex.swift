// Where rows begin: the first pass over a table's text, which alone knows quotes from line ends.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The offsets of a text's rows, blank lines left out.
struct RowIndex: Sendable {
  /// Offset of every row's first byte.
  private(set) var starts: [Int] = []
  /// Offset past the last row.
  private(set) var end: Int
  /// Offset past every row, where rows do not adjoin.
  private var ends: [Int]?
  /// Whether some cell is quoted.
  let hasQuotes: Bool

  var count: Int { starts.count }

  /// Finds the rows of `bytes[from...]`.
  /// - Throws: `TableError.unclosedQuote` with the line the quote was opened on.
  init(_ bytes: UnsafeRawBufferPointer, from: Int, separator: UInt8) throws(TableError) {
    end = bytes.count
    guard let base = bytes.baseAddress?.assumingMemoryBound(to: UInt8.self), from < bytes.count else {
      hasQuotes = false
      return
    }
    let length = bytes.count - from
    hasQuotes = memchr(base + from, 0x22, length) != nil
    // Files of old Macs end lines with a carriage return alone.
    let lineEnd: UInt8 = memchr(base + from, 0x0a, length) == nil ? 0x0d : 0x0a
    if hasQuotes {
      try indexQuoted(base, from: from, separator: separator, lineEnd: lineEnd)
    } else {
      indexPlain(base, from: from, lineEnd: lineEnd)
    }
  }

  private mutating func indexPlain(_ base: UnsafePointer<UInt8>, from: Int, lineEnd: UInt8) {
    var start = from
    while start < end {
      let found = memchr(base + start, Int32(lineEnd), end - start)
      let next = found.map { UnsafeRawPointer($0) - UnsafeRawPointer(base) + 1 } ?? end
      if !isBlank(base, start, next) { starts.append(start) }
      start = next
    }
  }

  /// A quote opens a cell only at the cell's start; inside, two quotes are one.
  private mutating func indexQuoted(
    _ base: UnsafePointer<UInt8>, from: Int, separator: UInt8, lineEnd: UInt8
  ) throws(TableError) {
    var start = from
    var cellStart = from
    var at = from
    while at < end {
      let byte = base[at]
      if byte == 0x22, at == cellStart {
        let opened = at
        at += 1
        while at < end {
          if base[at] == 0x22 {
            guard at + 1 < end, base[at + 1] == 0x22 else { break }
            at += 1
          }
          at += 1
        }
        guard at < end else { throw .unclosedQuote(line: lineNumber(base, opened)) }
      } else if byte == separator {
        cellStart = at + 1
      } else if byte == lineEnd {
        if !isBlank(base, start, at + 1) { starts.append(start) }
        start = at + 1
        cellStart = start
      }
      at += 1
    }
    if start < end, !isBlank(base, start, end) { starts.append(start) }
  }

  private func isBlank(_ base: UnsafePointer<UInt8>, _ start: Int, _ end: Int) -> Bool {
    for at in start..<end where base[at] != 0x0a && base[at] != 0x0d { return false }
    return true
  }

  /// Some of the rows, in rising order, as they lie in the text.
  func choosing(_ rows: some Collection<Int>) -> RowIndex {
    var chosen = self
    chosen.starts = rows.map { starts[$0] }
    let ends = rows.map { limit(of: $0) }
    chosen.ends = ends
    chosen.end = ends.last ?? 0
    return chosen
  }

  /// Where the row after a row begins.
  @inline(__always)
  private func limit(of row: Int) -> Int {
    if let ends { return ends[row] }
    return row + 1 < starts.count ? starts[row + 1] : end
  }

  /// The bytes of a row, without its line end.
  func range(_ row: Int, _ base: UnsafePointer<UInt8>) -> Range<Int> {
    let start = starts[row]
    var last = limit(of: row)
    while last > start, base[last - 1] == 0x0a || base[last - 1] == 0x0d { last -= 1 }
    return start..<last
  }
}

/// The number of the line that holds an offset, counted from 1; for messages.
func lineNumber(_ base: UnsafePointer<UInt8>, _ offset: Int) -> Int {
  var line = 1
  for at in 0..<offset where base[at] == 0x0a { line += 1 }
  return line
}
