// Tables too large to hold as numbers: understood from a sample of their rows, and read a run of rows at a time.
//
// A sample of 200,000 rows decides columns and bins, as in LightGBM (bin_construct_sample_cnt).

import Tensors

/// What a sample of a table's rows shows.
public struct TableSample: Sendable {
  /// The sampled rows as a table: its features, their kinds, the target and what was understood of every column.
  public let table: Table
  /// Where each row of `table` stands among the file's rows of data, counted from 0, in rising order.
  public let rows: [Int]
  /// How many rows of data the file has.
  public let rowCount: Int
}

/// Some rows of a table, one after the other.
public struct TableRun: Sendable {
  /// The first row's place among the file's rows of data, counted from 0.
  public let firstRow: Int
  /// The features, as in the sample; a category that the sample does not hold is the first index past the known ones.
  public let features: Features
  /// Quantities, or indices into the classes that were met so far; NaN where the target is missing.
  public let target: [Float]
}

/// Reads a table in runs of rows, and keeps none of them.
///
/// Numbers are float32; a row whose target is missing is part of its run.
/// - Parameters:
///   - target: the target column's name; nil for the last column.
///   - sampleSize: how many rows the columns are understood from, spread over the file by `seed`.
///   - runSize: how many rows are in memory at a time.
///   - begin: called once, before the first run.
///   - body: called for every run in turn.
/// - Returns: the classes, those of the sample first; empty where the target is a quantity.
/// - Throws: `FileError`, or `TableError` naming line and column; what `begin` and `body` throw.
public func readTableRuns(
  path: String, target: String?, options: TableOptions, sampleSize: Int, runSize: Int, seed: UInt64,
  begin: (TableSample) throws -> Void, body: (TableRun) throws -> Void
) throws -> [String] {
  var options = options
  options.precision = .float32
  var failure: (any Error)?
  let classes = try withTableText(path: path, options: options) { text, encoding throws(TableError) in
    do {
      var reader = try TableRunReader(
        text, encoding, target, options, sampleSize: sampleSize, seed: seed)
      try begin(reader.sample)
      for start in stride(from: 0, to: reader.sample.rowCount, by: runSize) {
        try body(reader.run(start..<min(start + runSize, reader.sample.rowCount)))
      }
      return try reader.finishedClasses()
    } catch let error as TableError {
      throw error
    } catch {
      failure = error
      return []
    }
  }
  if let failure { throw failure }
  return classes
}

/// Reads runs of a text as its sample was understood.
private struct TableRunReader {
  private(set) var sample: TableSample
  private let text: TableText
  private let encoding: TextEncoding
  private let options: TableOptions
  private let plan: ColumnPlan
  private var classes: ClassNumbers?
  private var missingMet: Set<Int>

  init(
    _ text: TableText, _ encoding: TextEncoding, _ target: String?, _ options: TableOptions, sampleSize: Int,
    seed: UInt64
  ) throws(TableError) {
    let first = try ColumnPlan(text, target: target, options: options)
    let rowCount = text.rows.count - first.firstDataRow
    guard rowCount > 0 else { throw .noRows(path: text.path) }
    guard rowCount <= Int(Int32.max) else { throw .tooManyRows(path: text.path) }
    let chosen = Self.spread(min(sampleSize, rowCount), over: rowCount, seed: seed)
    var assembly = ColumnAssembly(
      text: Self.part(of: text, first, chosen), plan: first, rowCount: chosen.count, options: options)
    let values = try assembly.filled()
    let column: TargetColumn = target.map { .named($0) } ?? .last
    if let idle = assembly.optionWithoutEffect(values, target: column) { throw idle }
    let parsed = assembly.finished(values, target: column, encoding: encoding, separator: text.separator)
    let table = try Table(parsed, path: text.path, target: target, options: options)
    var targets: [Int: Int] = [:]
    if table.rowsWithoutTarget > 0, let place = parsed.names.firstIndex(of: table.targetName) {
      for (row, cell) in parsed.values[place * parsed.rowCount..<(place + 1) * parsed.rowCount].enumerated()
      where !cell.isNaN {
        targets[targets.count] = row
      }
    }
    sample = TableSample(
      table: table, rows: (0..<table.rowCount).map { chosen[targets[$0] ?? $0] }, rowCount: rowCount)
    self.text = text
    self.encoding = encoding
    missingMet = assembly.missingMet
    plan = Self.plan(assembly, for: table)
    var options = options
    options.identifiers = .kept
    options.dates = .partsNamed(Set(table.features.names))
    options.categoryLimit = 1 << 24
    self.options = options
    if case .classes(_, let names) = table.target { classes = ClassNumbers(names) }
  }

  /// Rows, one from each of equally long stretches.
  private static func spread(_ count: Int, over rowCount: Int, seed: UInt64) -> [Int] {
    guard count < rowCount else { return Array(0..<rowCount) }
    var generator = SeededGenerator(seed: seed, stream: "sampled rows")
    return (0..<count).map { place in
      let (low, high) = (place * rowCount / count, (place + 1) * rowCount / count)
      return low + generator.index(below: max(1, high - low))
    }
  }

  /// Rows of data, behind the names.
  private static func part(of text: TableText, _ plan: ColumnPlan, _ rows: some Collection<Int>) -> TableText
  {
    text.choosing(Array(0..<plan.firstDataRow) + rows.map { $0 + plan.firstDataRow })
  }

  /// How runs are read: the sample's columns as they were understood, and no others.
  private static func plan(_ assembly: ColumnAssembly, for table: Table) -> ColumnPlan {
    var plan = assembly.plan
    let features = Set(table.features.names)
    plan.kept = []
    for (column, name) in plan.names.enumerated() {
      let hasParts = features.contains { DatePart.column(ofPart: $0) == name }
      guard plan.slots[column] >= 0, name == table.targetName || features.contains(name) || hasParts else {
        plan.actions[column] = .skip
        plan.slots[column] = -1
        continue
      }
      if assembly.categories[column] != nil {
        plan.actions[column] = .text
        plan.declared.insert(column)
      }
      plan.unlimited.insert(column)
      plan.slots[column] = plan.kept.count
      plan.kept.append(column)
    }
    return plan
  }

  /// Some rows of data.
  mutating func run(_ rows: Range<Int>) throws(TableError) -> TableRun {
    var assembly = ColumnAssembly(
      text: Self.part(of: text, plan, rows), plan: plan, rowCount: rows.count, options: options)
    let values = try assembly.filled()
    missingMet.formUnion(assembly.missingMet)
    let name = sample.table.targetName
    let parsed = assembly.finished(
      values, target: .named(name), encoding: encoding, separator: text.separator)
    let all = Features(parsed)
    guard let place = all.names.firstIndex(of: name) else {
      throw .noSuchColumn(path: text.path, name: name, nearest: nil)
    }
    return TableRun(
      firstRow: rows.lowerBound,
      features: try all.aligned(to: sample.table.features.names, kinds: sample.table.features.kinds),
      target: try targets(all, place))
  }

  private mutating func targets(_ features: Features, _ place: Int) throws(TableError) -> [Float] {
    let cells = features.column(place)
    guard classes != nil else {
      guard features.kinds[place] == .numeric else {
        throw .targetNotNumeric(path: text.path, name: sample.table.targetName)
      }
      return cells
    }
    var numbers: [Float: Float] = [:]
    return cells.map { cell in
      if cell.isNaN { return .nan }
      if let known = numbers[cell] { return known }
      let name: String
      if case .categorical(let names) = features.kinds[place] {
        name = names[Int(cell)]
      } else {
        name = plainText(decimalValue(cell))
      }
      let number = Float(classes?.number(of: name) ?? 0)
      numbers[cell] = number
      return number
    }
  }

  /// The classes of all runs.
  func finishedClasses() throws(TableError) -> [String] {
    if let first = options.furtherMissingTexts.indices.first(where: { !missingMet.contains($0) }) {
      throw .missingTextNotMet(path: text.path, text: options.furtherMissingTexts[first])
    }
    let names = classes?.names ?? []
    guard names.count <= 1000 else {
      throw .tooManyClasses(path: text.path, name: sample.table.targetName, limit: 1000)
    }
    return names
  }
}

/// Classes, numbered as they are met.
private struct ClassNumbers {
  private(set) var names: [String]
  private var numbers: [String: Int]

  init(_ names: [String]) {
    self.names = names
    numbers = Dictionary(zip(names, 0...), uniquingKeysWith: { first, _ in first })
  }

  mutating func number(of name: String) -> Int {
    if let known = numbers[name] { return known }
    numbers[name] = names.count
    names.append(name)
    return names.count - 1
  }
}
