// Columns in the making: numbers, codes of texts merged over runs of rows, and what was understood of each column.

import Files
import Tensors

/// Fills the columns of a table's text.
struct ColumnAssembly {
  private let text: TableText
  private var plan: ColumnPlan
  private let rowCount: Int
  private let options: TableOptions
  /// Up to so many different numbers may be the names of categories.
  private static let fewCategories = 50
  /// A few texts among numbers are read as missing where at least this share of the cells are numbers.
  private static let numberShare = 0.8
  private static let fewStrays = 3
  /// The categories of each text column.
  private var categories: [Int: [String]] = [:]
  /// Text columns past the limit, with a lower bound on their different texts.
  private var overfull: Set<Int> = []
  private var scales: [Int: ExactScale] = [:]
  private var remarks: [Int: [ColumnReading.Remark]] = [:]
  /// The user's texts for "missing" that were met.
  private(set) var missingMet: Set<Int> = []

  init(text: TableText, plan: ColumnPlan, rowCount: Int, options: TableOptions) {
    self.text = text
    self.plan = plan
    self.rowCount = rowCount
    self.options = options
  }

  /// Reads all kept columns.
  mutating func fill(_ target: SendablePointer<Float>) throws(TableError) {
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

  /// Gives columns whose doubles float32 does not tell apart cells that do.
  private mutating func keepDoubles(_ target: SendablePointer<Float>, _ coarse: Set<Int>) {
    var asked = coarse.filter { plan.slots[$0] >= 0 && categories[$0] == nil }.sorted()
    if options.precision == .whereValuesMerge {
      // Different doubles can only be one float where that float is there twice, and is no double of the file's.
      let slots = asked.map { plan.slots[$0] }
      let rowCount = rowCount
      let merges = parallelMap(asked.count) { place in
        let column = UnsafeBufferPointer(start: target.base + slots[place] * rowCount, count: rowCount)
        return Self.hasRepeats(column)
      }
      asked = zip(asked, merges).filter(\.1).map(\.0)
    }
    // Some columns at a time, so that doubles never weigh much beside the cells.
    let most = max(1, (1 << 23) / max(1, rowCount))
    for start in stride(from: 0, to: asked.count, by: most) {
      let columns = Array(asked[start..<min(start + most, asked.count)])
      let parser = BlockParser(
        text: text, plan: plan, actions: plan.actions, rowCount: rowCount, codeLimit: 0)
      let rowCount = rowCount
      let runs = max(1, min(Threads.count * 4, rowCount / 64))
      let doubles = [Double](unsafeUninitializedCapacity: columns.count * rowCount) { buffer, initialized in
        buffer.initialize(repeating: .nan)
        initialized = buffer.count
        guard let base = buffer.baseAddress else { return }
        let shared = SendablePointer(base)
        parallelFor(runs) { run in
          parser.doubles(rowCount * run / runs..<rowCount * (run + 1) / runs, columns: columns, into: shared)
        }
      }
      for (place, column) in columns.enumerated() {
        let own = Array(doubles[place * rowCount..<(place + 1) * rowCount])
        let scale = ExactScale(own)
        let merges = Set(scale.values.map { Float($0) }).count < scale.values.count
        // Large whole numbers are kept whether they merge or not: a second more or less is another day.
        let isLarge = scale.values.contains { abs($0) >= 0x1p24 }
        guard merges || isLarge || options.precision == .exact else { continue }
        if merges { remarks[column, default: []].append(.fine) }
        scales[column] = scale
        let base = target.base + plan.slots[column] * rowCount
        for row in 0..<rowCount { base[row] = own[row].isNaN ? .nan : scale.standIn(for: own[row]) }
      }
    }
  }

  /// Whether different doubles of a column may be the same float: floats that are there twice and are no double of the
  /// file's, or whole numbers too large for float32.
  ///
  /// Measurements of sixteen digits meet by chance in long columns, one in a hundred cells at most; that is left to
  /// float32.
  private static func hasRepeats(_ column: UnsafeBufferPointer<Float>) -> Bool {
    if column.contains(where: { abs($0) >= 0x1p24 }) { return true }
    let sorted = column.filter { !$0.isNaN }.sorted()
    let mostByChance = sorted.count > 10_000 ? sorted.count / 100 : 0
    var repeats = 0
    for place in sorted.indices.dropFirst() where sorted[place] == sorted[place - 1] {
      let value = sorted[place]
      // Few digits are told again from the float: equal cells are equal numbers.
      guard value != value.rounded(), "\(value)".utf8.count > 7 else { continue }
      repeats += 1
      if repeats > mostByChance { return true }
    }
    return false
  }

  /// The columns with their kinds; those that are no features are taken out.
  func finished(
    _ values: [Float], target: TargetColumn, encoding: TextEncoding, separator: UInt8
  ) -> ParsedColumns {
    let targetColumn: Int? =
      switch target {
      case .none: nil
      case .last: plan.kept.last
      case .named(let name): plan.names.firstIndex(of: name)
      }
    var reasons: [Int: ColumnReading.Reason] = [:]
    for column in plan.kept where column != targetColumn && !options.keptColumns.contains(plan.names[column])
    {
      reasons[column] = reason(column, values)
    }
    let others = plan.kept.filter { $0 != targetColumn }
    if others.allSatisfy({ reasons[$0] != nil }) {
      // A table of nothing but row numbers is one of numbers.
      for column in others where reasons[column] == .rowNumbers || reasons[column] == .identifier {
        reasons[column] = nil
      }
    }
    let kept = plan.kept.filter { reasons[$0] == nil }
    var parsed = ParsedColumns(
      names: [], kinds: [], rowCount: rowCount, values: [], forms: [:], scales: [:],
      repeatedNames: plan.renamed, readings: [], encoding: encoding, separator: separator,
      hasHeader: plan.firstDataRow > 0)
    if kept == plan.kept {
      parsed.values = values
    } else {
      parsed.values.reserveCapacity(kept.count * rowCount)
    }
    for column in kept {
      let place = parsed.names.count
      parsed.names.append(plan.names[column])
      parsed.kinds.append(categories[column].map { .categorical($0) } ?? .numeric)
      if let form = form(column), form != .number { parsed.forms[place] = form }
      parsed.scales[place] = scales[column]
      if kept != plan.kept { parsed.values += self.values(column, values) }
    }
    var parts: [Int: [String]] = [:]
    if options.dates == .withParts {
      for column in kept where column != targetColumn { parts[column] = addParts(column, values, &parsed) }
    }
    for (column, name) in plan.names.enumerated()
    where !(plan.hasTrailingSeparators && column == plan.names.count - 1) {
      parsed.readings.append(reading(name, column, values, reasons[column], parts[column] ?? []))
    }
    return parsed
  }

  private func form(_ column: Int) -> NumberForm? {
    categories[column] == nil ? plan.spellings[column].map(\.form) : nil
  }

  private func values(_ column: Int, _ values: [Float]) -> ArraySlice<Float> {
    values[plan.slots[column] * rowCount..<(plan.slots[column] + 1) * rowCount]
  }

  /// Why a column tells rows apart and says nothing of them; nil where it may say something.
  private func reason(_ column: Int, _ values: [Float]) -> ColumnReading.Reason? {
    let cells = self.values(column, values)
    let known = cells.count { !$0.isNaN }
    if known == 0 { return rowCount > 1 && options.identifiers == .leftOut ? .empty : nil }
    if let names = categories[column] {
      if overfull.contains(column) { return .uniqueTexts(different: names.count, cells: known) }
      guard options.identifiers == .leftOut, !plan.declared.contains(column) else { return nil }
      return known >= 40 && names.count * 2 > known ? .uniqueTexts(different: names.count, cells: known) : nil
    }
    guard options.identifiers == .leftOut, known == rowCount, rowCount >= 20, form(column) == nil else {
      return nil
    }
    let exact = scales[column]
    guard
      cells.allSatisfy({ cell in
        (exact.map { $0.value(of: cell) } ?? Double(cell)).truncatingRemainder(dividingBy: 1) == 0
      })
    else { return nil }
    if areRowNumbers(cells) { return .rowNumbers }
    guard Set(cells).count == rowCount else { return nil }
    if plan.unnamed.contains(column) || plan.names[column].hasPrefix("Unnamed: ") { return .rowNumbers }
    return namesIdentifiers(plan.names[column]) ? .identifier : nil
  }

  /// Adds month, day of the week and hour of a moment as columns of their own, where they vary.
  private func addParts(_ column: Int, _ values: [Float], _ parsed: inout ParsedColumns) -> [String] {
    guard let form = form(column), form.isMoment else { return [] }
    let scale = scales[column]
    let seconds = self.values(column, values).map { cell -> Double in
      let value = scale.map { $0.value(of: cell) } ?? Double(cell)
      if case .date = form { return value * 86_400 }
      return value
    }
    var added: [String] = []
    for part in DatePart.allCases {
      if case .time = form, part != .hour { continue }
      if case .date = form, part == .hour { continue }
      let cells = seconds.map { part.cell(seconds: $0) }
      let name = "\(plan.names[column]).\(part.rawValue)"
      guard Set(cells.filter { !$0.isNaN }).count > 1, !parsed.names.contains(name) else { continue }
      parsed.forms[parsed.names.count] = .part(part, of: plan.names[column])
      parsed.names.append(name)
      parsed.kinds.append(part.kind)
      parsed.values += cells
      added.append(name)
    }
    return added
  }

  private func reading(
    _ name: String, _ column: Int, _ values: [Float], _ reason: ColumnReading.Reason?, _ parts: [String]
  ) -> ColumnReading {
    guard plan.slots[column] >= 0 else {
      return ColumnReading(name: name, content: .leftOut(.excluded), missing: 0)
    }
    var remarks = remarks[column] ?? []
    if categories[column] == nil, let spelling = plan.spellings[column] {
      switch spelling {
      case .number(let number):
        if plan.ambiguous.contains(column) {
          remarks.append(.ambiguousCommas(readAsDecimal: number.decimal == .comma))
        } else if number.decimal == .comma {
          remarks.append(.decimalCommas)
        }
        if number.hasGroups { remarks.append(.groups) }
        if number.hasBrackets { remarks.append(.brackets) }
      case .date(let date, _):
        if plan.ambiguous.contains(column) {
          remarks.append(.ambiguousDates(dayIsFirst: date.order == .dayMonthYear))
        }
      case .time: break
      }
    }
    if !parts.isEmpty { remarks.append(.parts(parts)) }
    let content: ColumnReading.Content =
      reason.map { .leftOut($0) } ?? categories[column].map { .categories($0.count) }
      ?? .numbers(form(column) ?? .number)
    return ColumnReading(
      name: name, content: content, missing: self.values(column, values).count { $0.isNaN }, remarks: remarks)
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

/// Whether cells count the rows, from any number on; some numbers may be left out, where rows were.
func areRowNumbers(_ cells: some BidirectionalCollection<Float>) -> Bool {
  guard let first = cells.first, let last = cells.last else { return false }
  return last - first < 1.25 * Float(cells.count) && zip(cells, cells.dropFirst()).allSatisfy { $1 - $0 >= 1 }
}

/// Whether a column's name says that it holds identifiers: `id`, `PassengerId`, `customer_id`, `ID-Number`, `uuid`.
func namesIdentifiers(_ name: String) -> Bool {
  let lower = name.lowercased()
  if [
    "id", "ids", "index", "idx", "rownames", "uuid", "guid", "key", "rownum", "row", "row_number",
    "row number", "nr", "no",
  ].contains(lower) {
    return true
  }
  var words: [String] = []
  var word = ""
  var previousIsLower = false
  for character in name {
    if character.isLetter || character.isNumber {
      if character.isUppercase, previousIsLower {
        words.append(word)
        word = ""
      }
      word.append(character)
    } else {
      words.append(word)
      word = ""
    }
    previousIsLower = character.isLowercase
  }
  words.append(word)
  let known: Set<String> = ["id", "uuid", "guid", "identifier"]
  return [words.first, words.last].contains { $0.map { known.contains($0.lowercased()) } ?? false }
}
