// What stands between cells, from the first lines of a file.

/// A guess at a file's separator.
enum Separator {
  /// One or more blanks between cells, which are made tabs before the text is read.
  static let blanks: UInt8 = 0x20

  /// The separator of a text: comma, tab, semicolon or bar, the one that parts all lines into equally many cells; else
  /// blanks where they do; else the most frequent in the first line.
  static func detect(_ bytes: UnsafeRawBufferPointer, from: Int) -> UInt8 {
    let lines = firstLines(bytes, from: from)
    let candidates: [UInt8] = [0x2c, 0x09, 0x3b, 0x7c]
    let counts = candidates.map { candidate in lines.map { line in count(candidate, line) } }
    func isSteady(_ counts: [Int]) -> Bool {
      // Lines may leave out their last separator.
      guard let first = counts.first, first > 0 else { return false }
      return counts.allSatisfy { $0 == first }
        || (counts.count > 2 && counts.dropFirst().allSatisfy { $0 == counts[1] }
          && abs(counts[1] - first) == 1)
    }
    let steady = candidates.indices.filter { isSteady(counts[$0]) }
    if steady.contains(2), steady.contains(0), lines.allSatisfy({ commasAreDecimal($0) }) { return 0x3b }
    if let best = steady.max(by: { (counts[$0][0], -$0) < (counts[$1][0], -$1) }) { return candidates[best] }
    if counts.allSatisfy({ $0.first ?? 0 == 0 }), blanksAreSteady(lines) { return blanks }
    let best = candidates.indices.max { (counts[$0].first ?? 0, -$0) < (counts[$1].first ?? 0, -$1) } ?? 0
    return candidates[best]
  }

  private static func firstLines(_ bytes: UnsafeRawBufferPointer, from: Int) -> [[UInt8]] {
    var lines: [[UInt8]] = []
    var line: [UInt8] = []
    var quoted = false
    // Long first lines are those of wide tables: a few of them are enough.
    for byte in bytes[from...].prefix(1 << 20) {
      if byte == 0x22 { quoted.toggle() }
      if !quoted, byte == 0x0a || byte == 0x0d {
        if !line.isEmpty { lines.append(line) }
        line = []
        if lines.count == 20 { return lines }
      } else {
        line.append(byte)
      }
    }
    if !line.isEmpty, lines.count < 2 || bytes.count - from < 1 << 20 { lines.append(line) }
    return lines
  }

  private static func count(_ candidate: UInt8, _ line: [UInt8]) -> Int {
    var quoted = false
    var count = 0
    for byte in line {
      if byte == 0x22 { quoted.toggle() }
      if byte == candidate, !quoted { count += 1 }
    }
    return count
  }

  private static func commasAreDecimal(_ line: [UInt8]) -> Bool {
    line.indices.allSatisfy { place in
      line[place] != 0x2c
        || (place > 0 && line[place - 1] &- 48 <= 9 && place + 1 < line.count && line[place + 1] &- 48 <= 9)
    }
  }

  private static func blanksAreSteady(_ lines: [[UInt8]]) -> Bool {
    let counts = lines.map { cells($0) }
    guard let first = counts.first, first > 1, counts.count > 2 else { return false }
    return counts.dropFirst().allSatisfy { $0 == counts[1] } && abs(counts[1] - first) <= 1
  }

  private static func cells(_ line: [UInt8]) -> Int {
    var count = 0
    var (quoted, inside) = (false, false)
    for byte in line {
      if byte == 0x22 { quoted.toggle() }
      let isBlank = !quoted && (byte == 0x20 || byte == 0x09)
      if !isBlank, !inside { count += 1 }
      inside = !isBlank
    }
    return count
  }

  /// A text with every run of blanks outside quotes made one tab, and none at a line's ends; lines stay lines.
  static func blanksToTabs(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    var (quoted, pending, started) = (false, false, false)
    for byte in bytes {
      if !quoted, byte == 0x20 || byte == 0x09 {
        pending = started
        continue
      }
      if !quoted, byte == 0x0a || byte == 0x0d {
        (pending, started) = (false, false)
        result.append(byte)
        continue
      }
      if pending { result.append(0x09) }
      (pending, started) = (false, true)
      if byte == 0x22 { quoted.toggle() }
      result.append(byte)
    }
    return result
  }

  /// Where the first line of data or names begins, after lines that begin with `#`; nil where there are none.
  ///
  /// A first line of as many cells as the second is one of names, `#` or not.
  static func endOfComments(_ bytes: UnsafeRawBufferPointer, from: Int) -> Int? {
    var at = from
    var comments = 0
    while at < bytes.count, bytes[at] == UInt8(ascii: "#") {
      comments += 1
      while at < bytes.count, bytes[at] != 0x0a, bytes[at] != 0x0d { at += 1 }
      while at < bytes.count, bytes[at] == 0x0a || bytes[at] == 0x0d { at += 1 }
    }
    guard comments > 0, at < bytes.count else { return nil }
    guard comments == 1 else { return at }
    let separator = detect(bytes, from: at)
    let lines = firstLines(bytes, from: from)
    guard separator != blanks, lines.count > 1 else { return at }
    let (first, second) = (count(separator, lines[0]), count(separator, lines[1]))
    return first == second && first > 0 ? nil : at
  }

  /// A text without the lines that begin with `#`; their line ends stay, so that lines keep their numbers.
  static func withoutComments(_ bytes: UnsafeRawBufferPointer) -> [UInt8] {
    var result: [UInt8] = []
    result.reserveCapacity(bytes.count)
    var (isStart, isComment, quoted) = (true, false, false)
    for byte in bytes {
      if isStart, byte == UInt8(ascii: "#") { isComment = true }
      let isEnd = byte == 0x0a || byte == 0x0d
      isStart = isEnd && !quoted
      if isComment, isEnd { isComment = false }
      guard !isComment else { continue }
      if byte == 0x22 { quoted.toggle() }
      result.append(byte)
    }
    return result
  }
}
