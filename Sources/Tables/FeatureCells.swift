// The cells of a matrix of features where they lie, for loops that cannot afford a check at every cell.

import Tensors

/// Cells of features, valid while the call of `Features.withCells` that lent them runs.
public struct FeatureCells: @unchecked Sendable {
  /// Column-major cells `[features, stored rows]`.
  public let base: UnsafePointer<Float>
  /// How far two neighbouring features of a row lie apart.
  public let storedRowCount: Int
  /// Where each row lies within a feature's column; nil where row `i` lies at `i`.
  public let places: UnsafePointer<Int32>?

  /// Cells that lie somewhere else, in the same form.
  public init(base: UnsafePointer<Float>, storedRowCount: Int, places: UnsafePointer<Int32>? = nil) {
    self.base = base
    self.storedRowCount = storedRowCount
    self.places = places
  }

  /// Where a row lies within each feature's column.
  @inlinable
  public func place(of row: Int) -> Int { places.map { Int($0[row]) } ?? row }

  /// One cell.
  @inlinable
  public subscript(row: Int, feature: Int) -> Float { base[feature * storedRowCount + place(of: row)] }

  /// Writes a feature's cells over all rows to `target`.
  @inlinable
  public func copy(_ feature: Int, rowCount: Int, to target: UnsafeMutablePointer<Float>) {
    let column = base + feature * storedRowCount
    if let places {
      for row in 0..<rowCount { target[row] = column[Int(places[row])] }
    } else {
      target.update(from: column, count: rowCount)
    }
  }
}

/// Stands for the cells of features without any; never read.
let noCells = SendablePointer(UnsafeMutablePointer<Float>.allocate(capacity: 1))
