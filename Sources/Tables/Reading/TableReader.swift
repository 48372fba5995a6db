// From a file to columns: two passes over its bytes, the second on all cores.
//
// Memory: the columns themselves and a tile a thread; pages of the file are given back as soon as they are read.

import Files
import Tensors

/// The columns of a file, before one of them becomes the target.
struct ParsedColumns {
  var names: [String]
  var kinds: [FeatureKind]
  var rowCount: Int
  /// Column-major.
  var values: [Float]
  /// Text columns of too many different values, left out.
  var identifiers: [String]
  /// Names that more than one column had.
  var repeatedNames: [String]
}

/// Reads every kept column of a file.
/// - Parameter target: a column whose texts are classes even where a feature's would be an identifier's.
func readColumns(path: String, target: String?, options: TableOptions) throws -> ParsedColumns {
  let file = try MappedFile(path: path)
  if file.bytes.starts(with: [0x1f, 0x8b]) {
    return try gunzip(file).withUnsafeBytes { bytes in
      try parseColumns(path: path, bytes: bytes, of: nil, target: target, options: options)
    }
  }
  return try withExtendedLifetime(file) {
    try parseColumns(path: path, bytes: file.bytes, of: file, target: target, options: options)
  }
}

private func parseColumns(
  path: String, bytes: UnsafeRawBufferPointer, of file: MappedFile?, target: String?, options: TableOptions
) throws(TableError) -> ParsedColumns {
  let text = try TableText(path: path, bytes: bytes, file: file, options: options)
  let plan = try ColumnPlan(text, target: target, options: options)
  let rowCount = text.rows.count - plan.firstDataRow
  guard rowCount > 0 else { throw .noRows(path: path) }
  var assembly = ColumnAssembly(text: text, plan: plan, rowCount: rowCount, codeLimit: options.categoryLimit)
  var failure: TableError?
  let values = [Float](unsafeUninitializedCapacity: plan.kept.count * rowCount) { buffer, initialized in
    guard let base = buffer.baseAddress, !buffer.isEmpty else { return }
    do throws(TableError) {
      let late = try assembly.fill(SendablePointer(base), actions: plan.actions)
      if !late.isEmpty {
        // Texts turned up in columns that began as numbers: those columns are read again, as texts.
        assembly.firstTexts = late
        let actions = plan.actions.indices.map { late[$0] == nil ? ColumnPlan.Action.skip : .text }
        _ = try assembly.fill(SendablePointer(base), actions: actions)
      }
      initialized = buffer.count
    } catch {
      failure = error
    }
  }
  if let failure { throw failure }
  return try assembly.finished(values, target: target)
}

/// Columns in the making: the codes of each text column, merged over runs of rows.
private struct ColumnAssembly {
  let text: TableText
  let plan: ColumnPlan
  let rowCount: Int
  let codeLimit: Int
  /// Up to so many different numbers may be the names of categories.
  private static let fewCategories = 50
  /// The categories of each text column.
  private var categories: [Int: [String]] = [:]
  /// Text columns past the limit.
  private var overfull: Set<Int> = []
  /// Columns that began as numbers, with the first row of data that holds a text.
  var firstTexts: [Int: Int] = [:]

  init(text: TableText, plan: ColumnPlan, rowCount: Int, codeLimit: Int) {
    self.text = text
    self.plan = plan
    self.rowCount = rowCount
    self.codeLimit = codeLimit
  }

  /// Reads the columns whose action is not `skip`.
  /// - Returns: columns read as numbers in which texts stood, with the first row of one.
  mutating func fill(
    _ target: SendablePointer<Float>, actions: [ColumnPlan.Action]
  ) throws(TableError) -> [Int: Int] {
    let parser = BlockParser(
      text: text, plan: plan, actions: actions, rowCount: rowCount, codeLimit: codeLimit)
    let runs = max(1, min(Threads.count * 4, rowCount / 64))
    let rowCount = rowCount
    let reports = [BlockReport?](unsafeUninitializedCapacity: runs) { buffer, initialized in
      buffer.initialize(repeating: nil)
      initialized = runs
      guard let base = buffer.baseAddress else { return }
      let shared = SendablePointer(base)
      parallelFor(runs) { run in
        shared.base[run] = parser.parse(rowCount * run / runs..<rowCount * (run + 1) / runs, into: target)
      }
    }.compactMap { $0 }
    for report in reports {
      switch report.failure {
      case .ragged(let row, let cells):
        throw .raggedRow(path: text.path, line: line(row), cells: cells, expected: plan.names.count)
      case .infinite(let row, let column):
        throw .infiniteNumber(path: text.path, line: line(row), column: plan.names[column])
      case nil: break
      }
    }
    for (column, action) in actions.enumerated() where action == .text {
      try merge(column, reports.map { $0.codes[column] ?? TextCodes(limit: 0) }, target)
    }
    return reports.reduce(into: [:]) { first, report in
      first.merge(report.textColumns) { min($0, $1) }
    }
  }

  private func line(_ row: Int) -> Int { text.line(ofRow: row + plan.firstDataRow) }

  /// Gives the categories of all runs one numbering: sorted, as numbers where all are numbers.
  private mutating func merge(
    _ column: Int, _ runs: [TextCodes], _ target: SendablePointer<Float>
  ) throws(TableError) {
    let texts = runs.map { $0.entries.map(\.cell.text) }
    let names = sortedNames(Set(texts.joined()))
    let isOverfull = runs.contains(where: \.isFull) || names.count > codeLimit
    // Many different numbers and a text among them: a slip, not a category, unless the user says so.
    if names.count > Self.fewCategories, let row = firstTexts[column] {
      let cells = text.cells(row + plan.firstDataRow)
      throw .textAmongNumbers(
        path: text.path, line: line(row), column: plan.names[column], text: cells[column].text)
    }
    if names.count > Self.fewCategories, !plan.declared.contains(column) {
      let entries = runs.flatMap(\.entries)
      let strays = entries.filter {
        if case .text = readCell($0.cell.content, missing: []) { true } else { false }
      }
      if strays.count * 2 < entries.count, let stray = strays.min(by: { $0.row < $1.row }) {
        throw .textAmongNumbers(
          path: text.path, line: line(stray.row), column: plan.names[column], text: stray.cell.text)
      }
    }
    if isOverfull {
      overfull.insert(column)
      return
    }
    let place = Dictionary(zip(names, 0...), uniquingKeysWith: { first, _ in first })
    let base = target.base + plan.slots[column] * rowCount
    for (run, own) in texts.enumerated() {
      let codes = own.map { Float(place[$0] ?? 0) }
      for row in rowCount * run / texts.count..<rowCount * (run + 1) / texts.count where !base[row].isNaN {
        base[row] = codes[Int(base[row])]
      }
    }
    categories[column] = names
  }

  /// The columns with their kinds; identifiers are taken out.
  func finished(_ values: [Float], target: String?) throws(TableError) -> ParsedColumns {
    var values = values
    if let target, let column = plan.names.firstIndex(of: target), overfull.contains(column) {
      throw .tooManyClasses(path: text.path, name: target, limit: codeLimit)
    }
    for column in overfull.sorted(by: >) {
      let start = plan.slots[column] * rowCount
      values.removeSubrange(start..<start + rowCount)
    }
    let kept = plan.kept.filter { !overfull.contains($0) }
    return ParsedColumns(
      names: kept.map { plan.names[$0] },
      kinds: kept.map { column in categories[column].map { .categorical($0) } ?? .numeric },
      rowCount: rowCount, values: values, identifiers: overfull.sorted().map { plan.names[$0] },
      repeatedNames: plan.renamed)
  }
}

/// Category names in rising order: by value where all are numbers, else by their bytes.
func sortedNames(_ names: Set<String>) -> [String] {
  let numbers = names.compactMap { name in Double(name).map { (value: $0, name: name) } }
  guard numbers.count == names.count else {
    return names.sorted { $0.utf8.lexicographicallyPrecedes($1.utf8) }
  }
  return numbers.sorted { ($0.value, $0.name) < ($1.value, $1.name) }.map(\.name)
}

/// The column name nearest to a mistyped one.
func nearestColumn(_ name: String, _ names: [String]) -> String? {
  nearestWord(to: name, among: names)
}
