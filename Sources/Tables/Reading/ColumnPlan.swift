// What a first look at a table tells: names, which columns are text, where each column's numbers go.

/// How each column of the text is treated.
struct ColumnPlan: Sendable {
  /// What is done with a cell.
  enum Action: UInt8, Sendable { case skip, number, text }

  /// The columns' names.
  var names: [String]
  /// The first row of data: 1 below a header, else 0.
  var firstDataRow: Int
  /// One action a column.
  var actions: [Action]
  /// The place of each column among the columns kept, or −1.
  var slots: [Int]
  /// The columns kept, in order.
  var kept: [Int]
  /// Columns that the options name as categories.
  var declared: Set<Int>
  /// Names that more than one column had.
  var renamed: [String]

  /// Looks at the first rows of `text`.
  /// - Throws: `TableError` where the target's name repeats or an option names a column that is not there.
  init(_ text: TableText, target: String?, options: TableOptions) throws(TableError) {
    let first = text.cells(0)
    var looks = [ColumnLook](repeating: ColumnLook(), count: first.count)
    for row in 1..<max(1, min(text.rows.count, 101)) {
      text.forEachCell(row) { column, cell in
        if column < looks.count { looks[column].add(cell, text) }
      }
    }
    let hasHeader =
      switch options.header {
      case .present: true
      case .absent: false
      case .detected: Self.looksLikeNames(first, looks, text)
      }
    firstDataRow = hasHeader ? 1 : 0
    if !hasHeader {
      for (column, cell) in first.enumerated() { looks[column].add(cell, text) }
    }
    names = hasHeader ? first.map(\.text) : first.indices.map { "column\($0 + 1)" }
    renamed = Self.makeUnique(&names)
    if let target, renamed.contains(target), let first = names.firstIndex(of: target) {
      let second = names.firstIndex(of: target + ".1") ?? first
      throw .duplicateColumn(path: text.path, name: target, first: first + 1, second: second + 1)
    }
    let places = Set(names)
    for name in options.categoricalColumns.union(options.excludedColumns).sorted()
    where !places.contains(name) {
      throw .noSuchColumn(path: text.path, name: name, nearest: nearestColumn(name, names))
    }
    declared = Set(
      names.enumerated().lazy.filter { options.categoricalColumns.contains($0.element) }.map(\.offset))
    actions = []
    slots = []
    kept = []
    for (column, name) in names.enumerated() {
      let isExcluded = options.excludedColumns.contains(name)
      let isText = looks[column].hasText || declared.contains(column)
      actions.append(isExcluded ? .skip : isText ? .text : .number)
      slots.append(isExcluded ? -1 : kept.count)
      if !isExcluded { kept.append(column) }
    }
  }

  /// Gives later columns of a name that was there before the endings `.1`, `.2`, …, as other readers do.
  /// - Returns: the names that repeat.
  private static func makeUnique(_ names: inout [String]) -> [String] {
    var taken = Set(names)
    var seen: [String: Int] = [:]
    var repeated: [String] = []
    for (column, name) in names.enumerated() {
      guard let count = seen[name] else {
        seen[name] = 1
        continue
      }
      if count == 1 { repeated.append(name) }
      var ending = count
      while taken.contains("\(name).\(ending)") { ending += 1 }
      names[column] = "\(name).\(ending)"
      taken.insert(names[column])
      seen[name] = ending + 1
    }
    return repeated
  }

  /// What the first rows of a column hold.
  private struct ColumnLook {
    var hasText = false
    var hasNumber = false

    mutating func add(_ cell: TableText.Cell, _ text: TableText) {
      switch readCell(cell.content, missing: text.missing) {
      case .text: hasText = true
      case .number: hasNumber = true
      case .missing, .infinite: break
      }
    }
  }

  /// A first row is data where it looks like the rows below: a number in it, and no column whose first cell alone is
  /// text. Numbers that count 0, 1, 2, … or 1, 2, 3, … are names, as other tools write them.
  private static func looksLikeNames(
    _ first: [TableText.Cell], _ looks: [ColumnLook], _ text: TableText
  ) -> Bool {
    let readings = first.map { readCell($0.content, missing: text.missing) }
    var numbers: [Float] = []
    for (reading, look) in zip(readings, looks) {
      switch reading {
      case .number(let value): numbers.append(value)
      case .text where look.hasNumber && !look.hasText: return true
      case .text, .missing, .infinite: break
      }
    }
    if numbers.isEmpty { return true }
    let counts = numbers.enumerated().allSatisfy { $1 == numbers[0] + Float($0) }
    return counts && numbers.count == first.count && first.count > 1 && (numbers[0] == 0 || numbers[0] == 1)
  }
}
