// Sets of rows as bits, 64 rows a word: a rule's coverage is an AND, its precision a population count.

import Tables

/// A set of rows of a table.
public struct RowSet: Sendable, Equatable {
  /// The number of rows of the table.
  public let rowCount: Int
  private(set) var words: [UInt64]

  /// All rows, or none.
  public init(rowCount: Int, full: Bool) {
    self.rowCount = rowCount
    words = [UInt64](repeating: full ? .max : 0, count: (rowCount + 63) / 64)
    if full, rowCount % 64 != 0 { words[words.count - 1] = (1 << UInt64(rowCount % 64)) - 1 }
  }

  /// The rows for which `holds` says so.
  public init(rowCount: Int, where holds: (Int) -> Bool) {
    self.init(rowCount: rowCount, full: false)
    for row in 0..<rowCount where holds(row) { words[row >> 6] |= 1 << UInt64(row & 63) }
  }

  /// The rows whose cells meet a condition.
  public init(_ condition: Condition, in table: Features) {
    self.init(rowCount: table.rowCount, full: false)
    table.withCells { cells in
      cells.forEach(of: condition.feature, rowCount: rowCount) { row, cell in
        if condition.holds(cell) { words[row >> 6] |= 1 << UInt64(row & 63) }
      }
    }
  }

  /// The rows in a box.
  public init(_ box: Box, in table: Features) {
    self.init(rowCount: table.rowCount, full: true)
    for condition in box.conditions { formIntersection(RowSet(condition, in: table)) }
  }

  /// The number of rows in the set.
  public var count: Int { words.reduce(0) { $0 + $1.nonzeroBitCount } }

  /// Whether a row is in the set.
  public func contains(_ row: Int) -> Bool { words[row >> 6] >> UInt64(row & 63) & 1 == 1 }

  /// Keeps the rows that are in the other set too.
  public mutating func formIntersection(_ other: RowSet) {
    precondition(rowCount == other.rowCount, "sets of \(rowCount) and \(other.rowCount) rows")
    for word in words.indices { words[word] &= other.words[word] }
  }

  /// The rows in both sets.
  public func intersection(_ other: RowSet) -> RowSet {
    var both = self
    both.formIntersection(other)
    return both
  }

  /// The rows of this set that are not in the other.
  public func subtracting(_ other: RowSet) -> RowSet {
    var rest = self
    for word in words.indices { rest.words[word] &= ~other.words[word] }
    return rest
  }

  /// How many rows both sets share; nothing is allocated.
  public func sharedCount(_ other: RowSet) -> Int {
    precondition(rowCount == other.rowCount, "sets of \(rowCount) and \(other.rowCount) rows")
    let (a, b) = (words.span, other.words.span)
    var count = 0
    for word in a.indices { count += (a[word] & b[word]).nonzeroBitCount }
    return count
  }

  /// How many rows all three sets share.
  func sharedCount(_ second: RowSet, _ third: RowSet) -> Int {
    let (a, b, c) = (words.span, second.words.span, third.words.span)
    var count = 0
    for word in a.indices { count += (a[word] & b[word] & c[word]).nonzeroBitCount }
    return count
  }

  /// The rows, in rising order.
  public var rows: [Int] { (0..<rowCount).filter { contains($0) } }
}
