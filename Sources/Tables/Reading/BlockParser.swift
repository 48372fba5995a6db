// The second pass over a table's text: a run of rows into columns of float32.
//
// Rows are parsed into a tile of some rows × all columns and the tile is then written out column by column: in a wide
// table two cells of a row lie far apart in column-major memory, and every write would touch another page.

import Tensors

/// What one run of rows found besides numbers.
struct BlockReport {
  /// The first problem, if any: the rest of the run was not read.
  var failure: Failure?
  /// Columns expected to be numeric in which a text stood, with the first row of it.
  var textColumns: [Int: Int] = [:]
  /// The texts of each text column.
  var codes: [Int: TextCodes] = [:]
  /// How many cells of each column of mixed cells are numbers, and how many are texts.
  var mixture: [Int: Mixture] = [:]
  /// Columns with a number that cannot be told again from float32.
  var coarse: Set<Int> = []
  /// The user's texts for "missing" that were met.
  var missingMet: Set<Int> = []

  enum Failure {
    case ragged(row: Int, cells: Int)
    case infinite(row: Int, column: Int)
  }

  /// Numbers and texts in one column.
  struct Mixture {
    var numbers = 0
    var texts = 0
    /// The first few different texts with their first rows.
    var strays: [String: Int] = [:]
    static let mostStrays = 4
  }
}

/// Parses runs of rows into shared column-major memory.
struct BlockParser: Sendable {
  let text: TableText
  let plan: ColumnPlan
  /// The actions of this pass; a later pass over some columns skips the others.
  let actions: [ColumnPlan.Action]
  /// Rows of data in the file.
  let rowCount: Int
  /// The most different texts a column may have before they get no codes.
  let codeLimit: Int

  /// Parses data rows `rows`. Text cells become codes that count in this run alone.
  func parse(_ rows: Range<Int>, into target: SendablePointer<Float>) -> BlockReport {
    var report = BlockReport()
    for (column, action) in actions.enumerated() where action == .text || action == .mixed {
      report.codes[column] = TextCodes(limit: plan.unlimited.contains(column) ? 1 << 24 : codeLimit)
    }
    var actions = actions
    let width = plan.names.count
    let tileRows = max(1, min(64, (1 << 18) / max(1, width)))
    let tile = UnsafeMutableBufferPointer<Float>.allocate(capacity: tileRows * width)
    tile.initialize(repeating: .nan)
    let coarse = UnsafeMutableBufferPointer<Bool>.allocate(capacity: width)
    coarse.initialize(repeating: false)
    defer {
      tile.deallocate()
      coarse.deallocate()
    }
    var released = rows.lowerBound + plan.firstDataRow
    for start in stride(from: rows.lowerBound, to: rows.upperBound, by: tileRows) {
      let height = min(tileRows, rows.upperBound - start)
      for row in 0..<height {
        let line = UnsafeMutableBufferPointer(rebasing: tile[row * width..<(row + 1) * width])
        if let failure = parse(row: start + row, into: line, coarse, &actions, &report) {
          report.failure = failure
          return report
        }
      }
      for (column, action) in self.actions.enumerated() where action != .skip {
        let base = target.base + plan.slots[column] * rowCount + start
        for row in 0..<height { base[row] = tile[row * width + column] }
      }
      released = text.releasing(start + height + plan.firstDataRow, since: released)
    }
    report.coarse = Set(coarse.indices.filter { coarse[$0] })
    return report
  }

  @inline(__always)
  private func parse(
    row: Int, into line: UnsafeMutableBufferPointer<Float>, _ coarse: UnsafeMutableBufferPointer<Bool>,
    _ actions: inout [ColumnPlan.Action], _ report: inout BlockReport
  ) -> BlockReport.Failure? {
    let (start, end) = text.bounds(row + plan.firstDataRow)
    let separator = text.separator
    let missingNumbers = text.missing.numbers
    var at = start
    var column = 0
    return exactPowersOfTen.withUnsafeBufferPointer { powers -> BlockReport.Failure? in
      guard let powers = powers.baseAddress else { return nil }
      while column < line.count {
        if actions[column] == .number || actions[column] == .numberOrMissing,
          let (value, isShort, next) = fastNumber(at, end: end, separator: separator, powers: powers)
        {
          line[column] = value
          if !isShort { coarse[column] = true }
          if !missingNumbers.isEmpty, isMissing(Double(value), &report) { line[column] = .nan }
          at = next
        } else if at < end, at.pointee == separator, actions[column] != .skip {
          line[column] = .nan
        } else {
          let cell = text.cell(at: at, end: end)
          switch actions[column] {
          case .skip: break
          case .text, .mixed: line[column] = code(cell, row, column, &report)
          case .spelled, .number, .numberOrMissing:
            switch number(cell, column, actions[column], &report) {
            case .number(let value):
              // A date's text is no decimal, and neither is a number in another spelling.
              let isDecimal = plan.spellings[column] == nil
              line[column] = isDecimal ? nearestFloat(cell.content, value) : Float(value)
              if !isShort(value) { coarse[column] = true }
            case .missing: line[column] = .nan
            case .infinite: return .infinite(row: row, column: column)
            case .text:
              if actions[column] == .numberOrMissing {
                line[column] = .nan
              } else {
                report.textColumns[column] = row
                actions[column] = .skip
              }
            }
          }
          at = cell.next
        }
        column += 1
        if at == end { break }
        at += 1
      }
      if column == line.count, at == end { return nil }
      // The last column may be one of separators at lines' ends, which some lines leave out.
      if plan.hasTrailingSeparators, column == line.count - 1, at == end { return nil }
      return .ragged(row: row, cells: text.cells(row + plan.firstDataRow).count)
    }
  }

  /// Whether a number is one of those that the user says mean "missing". Compared as float32, as most cells are.
  private func isMissing(_ value: Double, _ report: inout BlockReport) -> Bool {
    for (missing, place) in text.missing.numbers where Float(missing) == Float(value) {
      report.missingMet.insert(place)
      return true
    }
    return false
  }

  /// What a cell of a column of numbers holds.
  private func number(
    _ cell: TableText.Cell, _ column: Int, _ action: ColumnPlan.Action, _ report: inout BlockReport
  ) -> CellReading {
    if text.missing.contains(cell.content) {
      if let place = text.missing.furtherPlace(cell.content) { report.missingMet.insert(place) }
      return .missing
    }
    if let spelling = plan.spellings[column], action == .spelled || action == .numberOrMissing {
      guard let value = spelling.value(cell.text) else { return .text }
      if isMissing(value, &report) { return .missing }
      return Float(value).isFinite ? .number(value) : .infinite
    }
    let reading = readCell(cell.content, missing: text.missing)
    if case .number(let value) = reading, isMissing(value, &report) { return .missing }
    return reading
  }

  private func code(
    _ cell: TableText.Cell, _ row: Int, _ column: Int, _ report: inout BlockReport
  ) -> Float {
    if text.missing.contains(cell.content) {
      if let place = text.missing.furtherPlace(cell.content) { report.missingMet.insert(place) }
      return .nan
    }
    if !text.missing.numbers.isEmpty, let value = strtod(Array(cell.content)), isMissing(value, &report) {
      return .nan
    }
    if actions[column] == .mixed {
      if case .number = number(cell, column, plan.spellings[column] == nil ? .number : .spelled, &report) {
        report.mixture[column, default: .init()].numbers += 1
      } else {
        report.mixture[column, default: .init()].texts += 1
        let word = cell.text
        if let strays = report.mixture[column]?.strays, strays[word] == nil,
          strays.count < BlockReport.Mixture.mostStrays
        {
          report.mixture[column]?.strays[word] = row
        }
      }
    }
    return report.codes[column]?.code(of: cell, row: row).map(Float.init) ?? .nan
  }

  /// The doubles of some columns of numbers, `[columns, rows]`; NaN where a cell is missing.
  func doubles(_ rows: Range<Int>, columns: [Int], into target: SendablePointer<Double>) {
    let places = Dictionary(uniqueKeysWithValues: zip(columns, 0...))
    let last = columns.max() ?? 0
    var report = BlockReport()
    for row in rows {
      let (start, end) = text.bounds(row + plan.firstDataRow)
      var at = start
      var column = 0
      while column <= last {
        let cell = text.cell(at: at, end: end)
        if let place = places[column] {
          var value = Double.nan
          if case .number(let found) = number(cell, column, actions[column], &report) { value = found }
          target.base[place * rowCount + row] = value
        }
        column += 1
        guard cell.next < end else { break }
        at = cell.next + 1
      }
    }
  }
}
