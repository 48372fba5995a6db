// Tall tables: below a node of some thousand rows, a tree of random cuts is grown within the second-level cache.

import Tables
import Tensors

/// A table's cells row by row: one line of cache or two hold all that a tree can ask about a row.
final class RowMajorCells: @unchecked Sendable {
  let featureCount: Int
  private let cells: UnsafeMutablePointer<Float>

  /// Whether such a copy pays: columns larger than the cache, and not many more features than a path asks about.
  static func serve(_ features: Features, drawing draws: Int) -> Bool {
    features.rowCount >= 1 << 16 && features.count <= 8 * draws
  }

  init(_ source: FeatureCells, rowCount: Int, featureCount: Int) {
    self.featureCount = featureCount
    cells = .allocate(capacity: rowCount * featureCount)
    let shared = SendablePointer(cells)
    parallelRanges(rowCount, minimum: 4096) { range in
      for start in stride(from: range.lowerBound, to: range.upperBound, by: 512) {
        let block = start..<min(start + 512, range.upperBound)
        for feature in 0..<featureCount {
          for row in block { shared.base[row * featureCount + feature] = source[row, feature] }
        }
      }
    }
  }

  deinit { cells.deallocate() }

  /// The cells of one row.
  func row(_ row: Int) -> UnsafePointer<Float> { UnsafePointer(cells + row * featureCount) }
}

/// The cells of some thousand rows, copied side by side and column by column.
final class NearRows {
  /// The most rows held.
  static let most = 16_384
  /// How far two columns lie apart: no power of two, or the cells of a row would fight for the same few lines of cache.
  private static let columnStride = most + 48
  /// The rows held, as places among a tree's rows.
  var range: Range<Int>?
  private let table: RowMajorCells
  private let cells: UnsafeMutablePointer<Float>

  init(_ table: RowMajorCells) {
    self.table = table
    cells = .allocate(capacity: table.featureCount * Self.columnStride)
  }

  func deallocate() { cells.deallocate() }

  /// Copies rows, and counts them anew from 0.
  func gather(_ rows: inout [Int32], _ chosen: Range<Int>) -> FeatureCells {
    range = chosen
    let count = table.featureCount
    for (place, index) in chosen.enumerated() {
      let source = table.row(Int(rows[index]))
      for feature in 0..<count { cells[feature * Self.columnStride + place] = source[feature] }
      rows[index] = Int32(place)
    }
    return FeatureCells(base: cells, storedRowCount: Self.columnStride)
  }
}
