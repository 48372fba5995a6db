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

  enum Failure {
    case ragged(row: Int, cells: Int)
    case infinite(row: Int, column: Int)
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
    for (column, action) in actions.enumerated() where action == .text {
      report.codes[column] = TextCodes(limit: codeLimit)
    }
    var actions = actions
    let width = plan.names.count
    let tileRows = max(1, min(64, (1 << 18) / max(1, width)))
    let tile = UnsafeMutableBufferPointer<Float>.allocate(capacity: tileRows * width)
    tile.initialize(repeating: .nan)
    defer { tile.deallocate() }
    var released = rows.lowerBound + plan.firstDataRow
    for start in stride(from: rows.lowerBound, to: rows.upperBound, by: tileRows) {
      let height = min(tileRows, rows.upperBound - start)
      for row in 0..<height {
        let line = UnsafeMutableBufferPointer(rebasing: tile[row * width..<(row + 1) * width])
        if let failure = parse(row: start + row, into: line, &actions, &report) {
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
    return report
  }

  @inline(__always)
  private func parse(
    row: Int, into line: UnsafeMutableBufferPointer<Float>, _ actions: inout [ColumnPlan.Action],
    _ report: inout BlockReport
  ) -> BlockReport.Failure? {
    let (start, end) = text.bounds(row + plan.firstDataRow)
    let separator = text.separator
    var at = start
    var column = 0
    return exactPowersOfTen.withUnsafeBufferPointer { powers -> BlockReport.Failure? in
      guard let powers = powers.baseAddress else { return nil }
      while column < line.count {
        if actions[column] == .number,
          let (value, next) = fastNumber(at, end: end, separator: separator, powers: powers)
        {
          line[column] = value
          at = next
        } else if at < end, at.pointee == separator, actions[column] != .skip {
          line[column] = .nan
        } else {
          let cell = text.cell(at: at, end: end)
          switch actions[column] {
          case .skip: break
          case .text: line[column] = code(cell, row, column, &report)
          case .number:
            switch readCell(cell.content, missing: text.missing) {
            case .number(let value): line[column] = value
            case .missing: line[column] = .nan
            case .infinite: return .infinite(row: row, column: column)
            case .text:
              report.textColumns[column] = row
              actions[column] = .skip
            }
          }
          at = cell.next
        }
        column += 1
        if at == end { break }
        at += 1
      }
      if column == line.count, at == end { return nil }
      return .ragged(row: row, cells: text.cells(row + plan.firstDataRow).count)
    }
  }

  private func code(
    _ cell: TableText.Cell, _ row: Int, _ column: Int, _ report: inout BlockReport
  ) -> Float {
    if cell.content.isEmpty { return .nan }
    for word in text.missing where word.count == cell.content.count && cell.content.elementsEqual(word) {
      return .nan
    }
    return report.codes[column]?.code(of: cell, row: row).map(Float.init) ?? .nan
  }
}
