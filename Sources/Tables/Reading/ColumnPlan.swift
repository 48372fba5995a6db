// What a first look at a table tells: names, which columns are text, where each column's numbers go.

/// How each column of the text is treated.
struct ColumnPlan: Sendable {
  /// What is done with a cell.
  enum Action: UInt8, Sendable {
    /// It is passed over.
    case skip
    /// It is a plain number.
    case number
    /// It is a number, or else missing.
    case numberOrMissing
    /// It is a number in the column's own spelling.
    case spelled
    /// It is a category.
    case text
    /// It is a category, and it is counted whether it is a number.
    case mixed
  }

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
  /// Columns whose texts are kept however many there are.
  var unlimited: Set<Int> = []
  /// Names that more than one column had.
  var renamed: [String]
  /// How the cells of `spelled` columns are read.
  var spellings: [Int: CellSpelling] = [:]
  /// Columns of which another reading fits as well.
  var ambiguous: Set<Int> = []
  /// What the table as a whole says about spellings.
  var hints = SpellingHints()
  /// Whether rows end with a separator that no column follows.
  var hasTrailingSeparators = false
  /// Columns without a name of their own.
  var unnamed: Set<Int> = []

  /// Looks at the first rows of `text`.
  /// - Throws: `TableError` where the target's name repeats or an option names a column that is not there.
  init(_ text: TableText, target: String?, options: TableOptions) throws(TableError) {
    let first = text.cells(0)
    let sample = Self.sample(text.rows.count, width: first.count)
    var looks = [ColumnLook](repeating: ColumnLook(), count: first.count)
    var widths: Set<Int> = []
    var lastCellsAreEmpty = true
    for row in sample where row > 0 {
      var width = 0
      text.forEachCell(row) { column, cell in
        if column < looks.count { looks[column].add(cell, text) }
        width = column + 1
        if column == first.count, !cell.content.isEmpty { lastCellsAreEmpty = false }
      }
      widths.insert(width)
    }
    let hasHeader =
      switch options.header {
      case .present: true
      case .absent: false
      case .detected: Self.looksLikeNames(first, looks, text, sample)
      }
    firstDataRow = hasHeader ? 1 : 0
    if !hasHeader {
      for (column, cell) in first.enumerated() { looks[column].add(cell, text) }
    }
    names = hasHeader ? first.map(\.text) : first.indices.map { "column\($0 + 1)" }
    if hasHeader, widths == [first.count + 1] {
      // Every row has a cell more than there are names: a separator at each line's end, or row names as R writes them.
      if lastCellsAreEmpty {
        names.append("")
        hasTrailingSeparators = true
      } else {
        names.insert("", at: 0)
        looks = [ColumnLook](repeating: ColumnLook(), count: names.count)
        for row in sample where row > 0 {
          text.forEachCell(row) { column, cell in if column < looks.count { looks[column].add(cell, text) } }
        }
      }
    } else if hasHeader, widths == [first.count - 1], first.count > 2, names.last == "" {
      names.removeLast()
      looks.removeLast()
    }
    while looks.count < names.count { looks.append(ColumnLook()) }
    for (column, name) in names.enumerated() where name.isEmpty {
      unnamed.insert(column)
      names[column] = "Unnamed: \(column)"
    }
    renamed = Self.makeUnique(&names)
    if let target, renamed.contains(target), let first = names.firstIndex(of: target) {
      let second = names.firstIndex(of: target + ".1") ?? first
      throw .duplicateColumn(path: text.path, name: target, first: first + 1, second: second + 1)
    }
    let places = Set(names)
    for name in options.categoricalColumns.union(options.excludedColumns).union(options.keptColumns).sorted()
    where !places.contains(name) {
      throw .noSuchColumn(path: text.path, name: name, nearest: nearestColumn(name, names))
    }
    declared = Set(
      names.enumerated().lazy.filter { options.categoricalColumns.contains($0.element) }.map(\.offset))
    var unlimited = declared
    for (column, name) in names.enumerated() where options.keptColumns.contains(name) {
      unlimited.insert(column)
    }
    self.unlimited = unlimited
    actions = []
    slots = []
    kept = []
    for (column, name) in names.enumerated() {
      let isExcluded =
        options.excludedColumns.contains(name) || (hasTrailingSeparators && column == names.count - 1)
      let look = looks[column]
      let action: Action =
        isExcluded
        ? .skip
        : declared.contains(column) ? .text : !look.hasText ? .number : look.hasNumber ? .mixed : .text
      actions.append(action)
      slots.append(isExcluded ? -1 : kept.count)
      if !isExcluded { kept.append(column) }
    }
    hints.isSeparatedBySemicolons = text.separator == UInt8(ascii: ";")
    guessSpellings(text, sample)
  }

  /// Rows to look at: the first hundred, and others over the whole file as far as the table's width allows.
  private static func sample(_ rows: Int, width: Int) -> [Int] {
    let budget = max(100, min(600, 1_000_000 / max(1, width)))
    let first = Array(0..<min(rows, 101))
    guard rows > 101, budget > 100 else { return first }
    let step = max(1, (rows - 101) / (budget - 100))
    return first + Array(stride(from: 101, to: rows, by: step))
  }

  /// Finds columns of texts that are numbers, dates or times in a spelling of their own.
  private mutating func guessSpellings(_ text: TableText, _ sample: [Int]) {
    let asked = actions.indices.filter {
      (actions[$0] == .text || actions[$0] == .mixed) && !declared.contains($0)
    }
    guard !asked.isEmpty else { return }
    var texts: [Int: [String]] = [:]
    let wanted = Set(asked)
    for row in sample where row >= firstDataRow {
      text.forEachCell(row) { column, cell in
        if wanted.contains(column), !text.missing.contains(cell.content) {
          texts[column, default: []].append(cell.text)
        }
      }
    }
    // Columns that can be read in one way only say how the others are to be read.
    for pass in 0..<2 {
      for column in asked where spellings[column] == nil || ambiguous.contains(column) {
        guard let guess = SpellingGuess(texts[column] ?? [], hints) else { continue }
        spellings[column] = guess.spelling
        actions[column] = .spelled
        if guess.isAmbiguous { ambiguous.insert(column) } else { ambiguous.remove(column) }
        guard pass == 0, !guess.isAmbiguous else { continue }
        if case .number(let spelling) = guess.spelling, spelling.decimal == .comma {
          hints.hasDecimalCommas = true
        }
        if case .date(let spelling, _) = guess.spelling, spelling.order == .dayMonthYear {
          hints.dayIsFirst = true
        }
      }
    }
    if hints.hasDecimalCommas { readGroupedPoints(text, sample) }
  }

  /// Where commas are decimal marks, `1.234` in a column of such cells alone is a thousand and more.
  private mutating func readGroupedPoints(_ text: TableText, _ sample: [Int]) {
    let asked = Set(actions.indices.filter { actions[$0] == .number })
    var grouped: Set<Int> = []
    var plain: Set<Int> = []
    for row in sample where row >= firstDataRow {
      text.forEachCell(row) { column, cell in
        guard asked.contains(column), !plain.contains(column), !text.missing.contains(cell.content),
          cell.content.contains(0x2e)
        else { return }
        if let parts = NumberSpelling.parts(cell.text), NumberSpelling.evidence(parts.digits) == .either {
          grouped.insert(column)
        } else {
          plain.insert(column)
        }
      }
    }
    for column in grouped.subtracting(plain) {
      spellings[column] = .number(NumberSpelling(decimal: .comma, hasGroups: true))
      actions[column] = .spelled
      ambiguous.insert(column)
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
  /// text. Numbers that count 0, 1, 2, … or 1, 2, 3, … are names, as other tools write them. Where all columns are text,
  /// it is data if each of its cells is met again below it.
  private static func looksLikeNames(
    _ first: [TableText.Cell], _ looks: [ColumnLook], _ text: TableText, _ sample: [Int]
  ) -> Bool {
    let readings = first.map { readCell($0.content, missing: text.missing) }
    var numbers: [Double] = []
    for (reading, look) in zip(readings, looks) {
      switch reading {
      case .number(let value): numbers.append(value)
      case .text where look.hasNumber && !look.hasText: return true
      case .text, .missing, .infinite: break
      }
    }
    if numbers.isEmpty {
      guard looks.allSatisfy({ $0.hasText && !$0.hasNumber }), text.rows.count > 3 else { return true }
      var isMetAgain = [Bool](repeating: false, count: first.count)
      let words = first.map(\.text)
      for row in sample where row > 0 {
        text.forEachCell(row) { column, cell in
          if column < words.count, !isMetAgain[column], cell.text == words[column] {
            isMetAgain[column] = true
          }
        }
      }
      return !isMetAgain.allSatisfy { $0 }
    }
    let counts = numbers.enumerated().allSatisfy { $1 == numbers[0] + Double($0) }
    return counts && numbers.count == first.count && first.count > 1 && (numbers[0] == 0 || numbers[0] == 1)
  }
}
