// How a black box's answer follows one feature: partial dependence with single rows' curves, and accumulated local effects.

import Tables
import Tensors
import Trees

/// One output of a black box as a function of one feature.
public struct FeatureEffect: Sendable, Equatable {
  /// The feature's place in the table.
  public let feature: Int
  /// Cells of the feature: numbers in rising order, or category indices by frequency.
  public let grid: [Float]
  /// The share of the rows at each point of the grid: nearest in a number's case, of the category in the other.
  public let shares: [Double]
  /// The mean prediction with the feature at each point of the grid and all else as it is (Friedman 2001).
  public let partialDependence: [Double]
  /// The same for single rows `[row][grid]` (Goldstein et al. 2015); which rows these are is in `rows`.
  public let individual: [[Double]]
  /// The rows of `individual`, as places among those that were asked about.
  public let rows: [Int]
  /// Effects accumulated over differences within narrow bins, their mean over rows 0 (Apley & Zhu 2020); nil for
  /// categories, which have no order.
  public let accumulated: [Double]?
}

extension FeatureEffect {
  /// Points of a grid, at most.
  static let mostPoints = 20
  /// Categories that are looked at, the most frequent ones.
  static let mostCategories = 12

  /// Asks a black box about changed copies of rows.
  ///
  /// - Parameters:
  ///   - table: the rows.
  ///   - output: which output is followed.
  ///   - individualCount: how many single rows' curves are kept, spread evenly over the rows.
  /// - Returns: nil where the feature has one value only.
  /// - Throws: what the black box throws.
  init?(
    of feature: Int, in table: Features, _ tables: ChangedTables, output: Int, individualCount: Int
  ) throws {
    let cells = table.column(feature)
    let known = cells.filter { !$0.isNaN }
    let isNumeric = table.kinds[feature] == .numeric
    let grid = isNumeric ? Self.quantiles(of: known) : Self.categories(of: known)
    guard grid.count > 1 else { return nil }
    let count = table.rowCount
    let step = max(1, count / max(1, individualCount))
    let rows = Array(stride(from: 0, to: count, by: step).prefix(individualCount))
    var means = [Double](repeating: 0, count: grid.count)
    var individual = [[Double]](repeating: means, count: rows.count)
    try tables.ask(grid.count) { point in
      [ReplacedColumn(feature: feature, cells: [Float](repeating: grid[point], count: count))]
    } visit: { point, predictions in
      let width = predictions.shape[1]
      let values = predictions.values
      means[point] =
        (0..<count).reduce(0.0) { $0 + Double(values[$1 * width + output]) } / Double(max(1, count))
      for (place, row) in rows.enumerated() {
        individual[place][point] = Double(values[row * width + output])
      }
    }
    self.feature = feature
    self.grid = grid
    self.rows = rows
    self.individual = individual
    partialDependence = means
    shares = Self.shares(of: known, at: grid, nearest: isNumeric)
    accumulated = isNumeric ? try Self.accumulate(feature, cells, grid, tables, output: output) : nil
  }

  private static func quantiles(of known: [Float]) -> [Float] {
    let sorted = known.sorted()
    guard let first = sorted.first else { return [] }
    let distinct = Set(sorted).sorted()
    guard distinct.count > mostPoints else { return distinct }
    var grid = [first]
    for point in 1..<mostPoints {
      let cell = sorted[(sorted.count - 1) * point / (mostPoints - 1)]
      if let last = grid.last, cell > last { grid.append(cell) }
    }
    return grid
  }

  private static func categories(of known: [Float]) -> [Float] {
    let counts = Dictionary(known.map { ($0, 1) }, uniquingKeysWith: +)
    return counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(mostCategories).map(\.key)
  }

  private static func shares(of known: [Float], at grid: [Float], nearest: Bool) -> [Double] {
    var counts = [Double](repeating: 0, count: grid.count)
    for cell in known {
      let place =
        nearest
        ? grid.indices.min { abs(grid[$0] - cell) < abs(grid[$1] - cell) } : grid.firstIndex(of: cell)
      if let place { counts[place] += 1 }
    }
    return counts.map { $0 / Double(max(1, known.count)) }
  }

  /// Rows of each bin between neighbouring points are asked about with the feature at either end.
  private static func accumulate(
    _ feature: Int, _ cells: [Float], _ grid: [Float], _ tables: ChangedTables, output: Int
  ) throws -> [Double] {
    let bins = cells.map { cell in
      cell.isNaN ? nil : (1..<grid.count).first { cell <= grid[$0] } ?? grid.count - 1
    }
    var (sums, counts) = (
      [Double](repeating: 0, count: grid.count), [Double](repeating: 0, count: grid.count)
    )
    try tables.ask(2) { end in
      let moved = zip(cells, bins).map { cell, bin in bin.map { grid[$0 - 1 + end] } ?? cell }
      return [ReplacedColumn(feature: feature, cells: moved)]
    } visit: { end, predictions in
      let width = predictions.shape[1]
      let values = predictions.values
      for (row, bin) in bins.enumerated() {
        guard let bin else { continue }
        sums[bin] += (end == 0 ? -1 : 1) * Double(values[row * width + output])
        if end == 1 { counts[bin] += 1 }
      }
    }
    var accumulated = [0.0]
    for bin in 1..<grid.count {
      accumulated.append(accumulated[bin - 1] + (counts[bin] > 0 ? sums[bin] / counts[bin] : 0))
    }
    let total = counts.reduce(0, +)
    var weighted = 0.0
    for bin in 1..<grid.count {
      let middle: Double = (accumulated[bin - 1] + accumulated[bin]) / 2
      weighted += counts[bin] * middle
    }
    let mean = weighted / max(1, total)
    return accumulated.map { $0 - mean }
  }
}
