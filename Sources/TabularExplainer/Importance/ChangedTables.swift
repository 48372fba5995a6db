// Asking a black box about a table some of whose columns are changed, many changes in few calls.

import Tables
import Tensors
import Trees

/// A model and a table, for questions of the kind "what if these columns held other cells?".
///
/// Trees re-route the rows through the trees that ask about the changed columns only. Every other black box is given
/// copies of the table, one below the other, so that an outside program is started once for many changes.
struct ChangedTables {
  /// The features that can change an answer, as places in the table.
  let features: [Int]
  /// Predictions for the table as it is.
  let predictions: Tensor

  private let model: any BlackBox
  private let table: Features
  /// Rows on their way through trees, and for every feature of the table those that trees know it as.
  private let routed: (rows: RoutedRows, places: [[Int]])?

  /// The most rows times trees whose leaves are kept: 4 bytes each.
  private static let keptLeaves = 1 << 27
  /// The most cells that a black box is given in one call, where a single table has fewer.
  private static let cellsACall = 1 << 22

  /// Asks about the table as it is.
  /// - Throws: what the model throws.
  init(_ table: Features, model: any BlackBox) throws {
    guard let trees = model as? TreeBlackBox,
      table.rowCount * trees.ensemble.trees.count <= Self.keptLeaves
    else {
      try self.init(asking: model, about: table)
      return
    }
    let rows = try RoutedRows(trees.ensemble, table)
    let places = try trees.ensemble.features(readingColumnsOf: table)
    self.init(
      features: places.indices.filter { !places[$0].isEmpty }, predictions: rows.predictions, model: model,
      table: table, routed: (rows, places))
  }

  /// Asks any model, tree models too, as a stranger: by whole tables.
  init(asking model: any BlackBox, about table: Features) throws {
    self.init(
      features: Array(table.names.indices), predictions: try model.predict(table), model: model, table: table,
      routed: nil)
  }

  private init(
    features: [Int], predictions: Tensor, model: any BlackBox, table: Features,
    routed: (rows: RoutedRows, places: [[Int]])?
  ) {
    self.features = features
    self.predictions = predictions
    self.model = model
    self.table = table
    self.routed = routed
  }

  /// Asks about `count` changes of the table, one after the other.
  ///
  /// - Parameters:
  ///   - change: the columns to replace in a change, with a cell for every row.
  ///   - visit: takes the change's number and its predictions `[rows, outputs]`.
  /// - Throws: what the model throws.
  func ask(
    _ count: Int, change: (Int) -> [ReplacedColumn], visit: (Int, Tensor) throws -> Void
  ) throws {
    guard table.rowCount > 0 else { return }
    if let routed {
      for index in 0..<count {
        // Columns that no tree asks about change nothing.
        let columns = change(index).flatMap { column in
          routed.places[column.feature].map { place in
            ReplacedColumn(feature: place, cells: recoded(column.cells, from: column.feature, to: place))
          }
        }
        try visit(index, routed.rows.predictions(replacing: columns))
      }
      return
    }
    let copies = max(1, min(count, Self.cellsACall / max(1, table.values.count)))
    var stack = StackedTable(table, copies: copies)
    for start in stride(from: 0, to: count, by: copies) {
      let changes = start..<min(start + copies, count)
      if changes.count < stack.copies { stack = StackedTable(table, copies: changes.count) }
      let changed = changes.map(change)
      for (copy, columns) in changed.enumerated() { stack.replace(columns, in: copy) }
      let answers = try stack.predictions(of: model)
      for (copy, columns) in changed.enumerated() {
        stack.restore(columns.map(\.feature), of: table, in: copy)
        let rows = copy * table.rowCount..<(copy + 1) * table.rowCount
        try visit(start + copy, answers.rows(rows))
      }
    }
  }

  /// Cells of a column as the trees count its categories.
  private func recoded(_ cells: [Float], from feature: Int, to place: Int) -> [Float] {
    guard let routed else { return cells }
    return table.recoded(cells, of: feature, as: routed.rows.features.kinds[place]) ?? cells
  }
}

/// Copies of a table, one below the other; columns of a copy are overwritten and restored in place.
private struct StackedTable {
  let copies: Int
  private let table: Features
  private let rowCount: Int
  private var cells: [Float]

  init(_ table: Features, copies: Int) {
    self.copies = copies
    (self.table, rowCount) = (table, table.rowCount)
    cells = []
    cells.reserveCapacity(table.values.count * copies)
    for feature in 0..<table.count {
      for _ in 0..<copies { cells += table.column(feature) }
    }
  }

  mutating func replace(_ columns: [ReplacedColumn], in copy: Int) {
    for column in columns { write(column.cells, feature: column.feature, copy: copy) }
  }

  mutating func restore(_ features: [Int], of table: Features, in copy: Int) {
    for feature in features { write(table.column(feature), feature: feature, copy: copy) }
  }

  private mutating func write(_ values: some Collection<Float>, feature: Int, copy: Int) {
    precondition(values.count == rowCount, "\(values.count) cells for \(rowCount) rows")
    let start = (feature * copies + copy) * rowCount
    cells.replaceSubrange(start..<start + rowCount, with: values)
  }

  func predictions(of model: any BlackBox) throws -> Tensor {
    try model.predict(table.replacing(rowCount: rowCount * copies, values: cells))
  }
}
