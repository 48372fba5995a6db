// Asking a black box about rows some of whose cells are changed, many changes of a row in one call.

import Tables
import Tensors
import Trees

/// A black box and some rows of a table, for questions of the kind "what if these cells of a row were other?".
///
/// Trees walk again only where a row's path asks about a changed cell; every other black box is given the changed rows as a
/// table. Answers are the same to the last bit.
struct ChangedRows: Sendable {
  /// The rows.
  let rows: Features
  private let model: any BlackBox
  private let routed: Routed?

  /// Rows on their way through trees.
  private struct Routed: Sendable {
    var paths: RowPaths
    /// For every column of the table, the features that trees know it as.
    var readings: [[Reading]]
    var parts: [DatePartFeature]

    /// A row's changes as the trees read them.
    func cells(_ changes: [Change], in table: Features) -> [RowPaths.Cell] {
      var cells: [RowPaths.Cell] = []
      func set(_ column: Int, _ value: Float) {
        for reading in readings[column] {
          cells.append(RowPaths.Cell(feature: reading.feature, value: reading.value(of: value)))
        }
      }
      for change in changes { set(change.feature, change.to) }
      for part in parts {
        guard let change = changes.first(where: { $0.feature == part.source }) else { continue }
        set(part.feature, part.cell(table, change.to))
      }
      return cells
    }
  }

  /// A feature of the trees, and what a cell of the table is there.
  private struct Reading: Sendable {
    var feature: Int
    /// By category, its number there; nil where cells stay as they are.
    var codes: [Float]?
    /// What any other category is.
    var unknown: Float = .nan

    func value(of cell: Float) -> Float {
      guard let codes, !cell.isNaN else { return cell }
      return codes.indices.contains(Int(cell)) ? codes[Int(cell)] : unknown
    }
  }

  /// Asks about rows one change after the other.
  /// - Throws: what the model throws.
  init(_ rows: Features, model: any BlackBox) throws {
    self.rows = rows
    self.model = model
    routed = try (model as? TreeBlackBox).flatMap { try Self.routed($0.ensemble, rows) }
  }

  private static func routed(_ ensemble: TreeEnsemble, _ rows: Features) throws(TableError) -> Routed? {
    let columns = try ensemble.features(readingColumnsOf: rows)
    var readings = [[Reading]](repeating: [], count: columns.count)
    for (column, features) in columns.enumerated() {
      for feature in features {
        guard let reading = reading(column, of: rows, as: feature, ensemble.featureKinds[feature]) else {
          return nil
        }
        readings[column].append(reading)
      }
    }
    return Routed(paths: try RowPaths(ensemble, rows), readings: readings, parts: rows.dateParts)
  }

  /// How a model's feature reads a column; nil for numbers that the model knows as categories.
  private static func reading(
    _ column: Int, of rows: Features, as feature: Int, _ kind: FeatureKind
  ) -> Reading? {
    if rows.kinds[column] == kind { return Reading(feature: feature) }
    guard case .categorical(let names) = rows.kinds[column],
      let codes = rows.recoded(names.indices.map { Float($0) }, of: column, as: kind)
    else { return nil }
    if case .categorical(let known) = kind {
      return Reading(feature: feature, codes: codes, unknown: Float(known.count))
    }
    return Reading(feature: feature, codes: codes)
  }

  /// The black box's outputs for copies of a row, each with its changes, `[copies][outputs]`.
  ///
  /// Parts of a date that is changed are those of the new one.
  /// - Throws: what the model throws.
  func outputs(row: Int, changes: [[Change]]) throws -> [[Double]] {
    guard !changes.isEmpty else { return [] }
    let outputs =
      if let routed {
        routed.paths.predictions(row: row, changing: changes.map { routed.cells($0, in: rows) })
      } else {
        try model.predict(variants(of: rows.row(row), in: rows, changes: changes))
      }
    return changes.indices.map { outputs.row($0).values.map { Double($0) } }
  }
}
