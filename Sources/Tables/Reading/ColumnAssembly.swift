// Columns in the making: numbers, and codes of texts merged over runs of rows.

import Files
import Tensors

/// Fills the columns of a table's text.
struct ColumnAssembly {
  let text: TableText
  var plan: ColumnPlan
  let rowCount: Int
  let options: TableOptions
  /// Up to so many different numbers may be the names of categories.
  private static let fewCategories = 50
  /// A few texts among numbers are read as missing where at least this share of the cells are numbers.
  private static let numberShare = 0.8
  private static let fewStrays = 3
  /// The categories of each text column.
  var categories: [Int: [String]] = [:]
  /// Text columns past the limit, with a lower bound on their different texts.
  var overfull: Set<Int> = []
  var scales: [Int: ExactScale] = [:]
  var remarks: [Int: [ColumnReading.Remark]] = [:]
  /// The user's texts for "missing" that were met.
  private(set) var missingMet: Set<Int> = []

  init(text: TableText, plan: ColumnPlan, rowCount: Int, options: TableOptions) {
    self.text = text
    self.plan = plan
    self.rowCount = rowCount
    self.options = options
  }

  /// Reads all kept columns: column-major cells.
  mutating func filled() throws(TableError) -> [Float] {
    var failure: TableError?
    let values = [Float](unsafeUninitializedCapacity: plan.kept.count * rowCount) { buffer, initialized in
      guard let base = buffer.baseAddress, !buffer.isEmpty else { return }
      do throws(TableError) {
        try fill(SendablePointer(base))
        initialized = buffer.count
      } catch {
        failure = error
      }
    }
    if let failure { throw failure }
    return values
  }

  /// Reads all kept columns.
  private mutating func fill(_ target: SendablePointer<Float>) throws(TableError) {
    var coarse: Set<Int> = []
    var late = try pass(target, actions: plan.actions, &coarse)
    if !late.isEmpty {
      // Texts turned up in columns that began as numbers: those columns are read again, as both.
      for column in late { plan.actions[column] = .mixed }
      let actions = plan.actions.indices.map { late.contains($0) ? plan.actions[$0] : .skip }
      late = try pass(target, actions: actions, &coarse)
    }
    // Columns of numbers with a few texts, or in a spelling that the first rows did not show.
    let settled = plan.actions.indices.filter {
      (plan.actions[$0] == .spelled || plan.actions[$0] == .numberOrMissing) && isReread.contains($0)
    }
    if !settled.isEmpty {
      let actions = plan.actions.indices.map { isReread.contains($0) ? plan.actions[$0] : .skip }
      let failed = try pass(target, actions: actions, &coarse)
      if !failed.isEmpty {
        // A cell that no sample showed is in another spelling after all: categories.
        for column in failed {
          plan.actions[column] = .text
          plan.spellings[column] = nil
        }
        _ = try pass(
          target, actions: plan.actions.indices.map { failed.contains($0) ? .text : .skip }, &coarse)
      }
    }
    keepDoubles(target, coarse)
  }

  /// Columns whose cells have been read as texts and turned out to be numbers.
  private var isReread: Set<Int> = []

  /// Reads the columns whose action is not `skip`.
  /// - Returns: columns read as numbers in which texts stood.
  private mutating func pass(
    _ target: SendablePointer<Float>, actions: [ColumnPlan.Action], _ coarse: inout Set<Int>
  ) throws(TableError) -> Set<Int> {
    let parser = BlockParser(
      text: text, plan: plan, actions: actions, rowCount: rowCount, codeLimit: options.categoryLimit)
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
    for report in reports {
      coarse.formUnion(report.coarse)
      missingMet.formUnion(report.missingMet)
    }
    for (column, action) in actions.enumerated() where action == .text || action == .mixed {
      let codes = reports.map { $0.codes[column] ?? TextCodes(limit: 0) }
      if action == .mixed, becomesNumbers(column, codes, reports.compactMap { $0.mixture[column] }) {
        isReread.insert(column)
        continue
      }
      merge(column, codes, target)
    }
    return reports.reduce(into: []) { $0.formUnion($1.textColumns.keys) }
  }

  private func line(_ row: Int) -> Int { text.line(ofRow: row + plan.firstDataRow) }

  /// Whether a column in which both numbers and texts stand is one of numbers after all: in another spelling, or with a
  /// few texts that stand for missing cells.
  private mutating func becomesNumbers(
    _ column: Int, _ runs: [TextCodes], _ mixtures: [BlockReport.Mixture]
  ) -> Bool {
    if plan.declared.contains(column) { return false }
    let texts = Set(runs.flatMap { $0.entries.map(\.cell.text) })
    let (numbers, words) = (mixtures.reduce(0) { $0 + $1.numbers }, mixtures.reduce(0) { $0 + $1.texts })
    var strays: [String: Int] = [:]
    for mixture in mixtures { strays.merge(mixture.strays) { min($0, $1) } }
    // Past some different texts the others are not noted; what is no plain number is, the first few of each run.
    if let guess = SpellingGuess(Array(texts.union(strays.keys)), plan.hints) {
      plan.spellings[column] = guess.spelling
      plan.actions[column] = .spelled
      if guess.isAmbiguous { plan.ambiguous.insert(column) }
      return true
    }
    let example = strays.min { ($0.value, $0.key) < ($1.value, $1.key) }
    guard texts.count > Self.fewCategories, strays.count <= Self.fewStrays,
      Double(numbers) >= Self.numberShare * Double(numbers + words), let first = example
    else {
      if numbers > 0, let first = example {
        let number = texts.first { strays[$0] == nil && NumberSpelling.parts($0) != nil } ?? "\(numbers)"
        remarks[column, default: []].append(.mixed(number: number, text: first.key))
      }
      return false
    }
    let names = strays.sorted { ($0.value, $0.key) < ($1.value, $1.key) }.map(\.key)
    remarks[column, default: []].append(.strays(names, cells: words, line: line(first.value)))
    plan.actions[column] = .numberOrMissing
    return true
  }

  /// Gives the categories of all runs one numbering: sorted, as numbers where all are numbers.
  private mutating func merge(_ column: Int, _ runs: [TextCodes], _ target: SendablePointer<Float>) {
    let texts = runs.map { $0.entries.map(\.cell.text) }
    let names = sortedNames(Set(texts.joined()))
    if !plan.unlimited.contains(column), runs.contains(where: \.isFull) || names.count > options.categoryLimit
    {
      overfull.insert(column)
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
}
