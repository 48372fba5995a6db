// Occlusion: what a prediction loses when one feature is hidden behind what is usual, or behind other rows' cells.

import Tables
import Tensors
import Trees

/// Hides one feature at a time and watches the prediction (Zeiler & Fergus 2014; Robnik-Šikonja & Kononenko 2008).
public struct OcclusionProbe: Sendable {
  /// What a hidden feature is replaced by.
  public enum Cover: Sendable, Equatable {
    /// The mean of the background's cells, or their most frequent category.
    case typical
    /// The cells of this many rows of the background, drawn for each row; predictions are averaged.
    case draws(Int, seed: UInt64)
  }

  /// The rows that say what is usual.
  public let background: Features
  /// What hides a feature.
  public let cover: Cover

  /// A probe.
  /// - Precondition: there is a background row, and `cover` draws at least one.
  public init(background: Features, cover: Cover = .typical) {
    precondition(background.rowCount > 0, "no background rows")
    if case .draws(let count, _) = cover { precondition(count > 0, "\(count) draws") }
    self.background = background
    self.cover = cover
  }

  /// How far each row's prediction falls when each feature is hidden: `prediction − prediction without`.
  ///
  /// `meanMagnitude` of the result is the global importance. The values of a row do not add up to anything.
  /// - Parameters:
  ///   - features: rows with the background's columns.
  ///   - outputs: the output explained at every row; nil for the one with the largest prediction.
  /// - Throws: what the black box throws; `TableError` where a column is not there.
  public func attributions(
    of model: any BlackBox, at features: Features, outputs: [Int]? = nil
  ) throws -> RowAttributions {
    let table = try features.aligned(to: background.names, kinds: background.kinds)
    return try attributions(in: ChangedTables(table, model: model), table, outputs: outputs)
  }

  /// The same, by given means of asking the model.
  func attributions(in tables: ChangedTables, _ table: Features, outputs: [Int]?) throws -> RowAttributions {
    let (rows, count, width) = (table.rowCount, table.count, tables.predictions.shape[1])
    let plain = tables.predictions.values
    let outputs =
      outputs
      ?? (0..<rows).map { row in
        (0..<width).max { plain[row * width + $0] < plain[row * width + $1] } ?? 0
      }
    precondition(outputs.count == rows, "\(outputs.count) outputs for \(rows) rows")
    let sources = sources(rows: rows)
    let repeats = max(1, sources.count)
    var falls = [Double](repeating: 0, count: rows * count)
    try tables.ask(tables.features.count * repeats) { index in
      let feature = tables.features[index / repeats]
      return [ReplacedColumn(feature: feature, cells: cover(feature, rows: rows, sources, index % repeats))]
    } visit: { index, predictions in
      let feature = tables.features[index / repeats]
      predictions.withValues { hidden in
        for row in 0..<rows {
          let place = row * width + outputs[row]
          falls[row * count + feature] += (Double(plain[place]) - Double(hidden[place])) / Double(repeats)
        }
      }
    }
    return RowAttributions(
      method: "occlusion", names: table.names, outputs: outputs,
      values: Tensor(falls.map { Float($0) }, shape: [rows, count]))
  }

  /// The background row that covers each row, draw by draw; empty where the typical cell does.
  private func sources(rows: Int) -> [[Int]] {
    guard case .draws(let count, let seed) = cover else { return [] }
    var generator = SeededGenerator(seed: seed, stream: "occlusion")
    return (0..<count).map { _ in (0..<rows).map { _ in generator.index(below: background.rowCount) } }
  }

  private func cover(_ feature: Int, rows: Int, _ sources: [[Int]], _ draw: Int) -> [Float] {
    if sources.isEmpty { return [Float](repeating: background.typicalCell(feature), count: rows) }
    return sources[draw].map { background[$0, feature] }
  }
}

extension Features {
  /// The mean of a feature's cells, or the most frequent category (the first of equals); missing where all are.
  func typicalCell(_ feature: Int) -> Float {
    let present = column(feature).filter { !$0.isNaN }
    guard !present.isEmpty else { return .nan }
    switch kinds[feature] {
    case .numeric: return Float(present.reduce(0.0) { $0 + Double($1) } / Double(present.count))
    case .categorical:
      var counts: [Float: Int] = [:]
      for cell in present { counts[cell, default: 0] += 1 }
      return counts.max { ($0.value, -$0.key) < ($1.value, -$1.key) }?.key ?? .nan
    }
  }
}
