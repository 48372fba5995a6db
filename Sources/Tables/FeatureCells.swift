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

  /// Calls `body` with every row below `rowCount` and its cell of a feature.
  @inlinable
  public func forEach(of feature: Int, rowCount: Int, _ body: (Int, Float) -> Void) {
    let column = base + feature * storedRowCount
    if let places {
      for row in 0..<rowCount { body(row, column[Int(places[row])]) }
    } else {
      for row in 0..<rowCount { body(row, column[row]) }
    }
  }

  /// Adds to every row's sum how far its cell of a feature is from a finite number, in units of `unit`; 1 where it is
  /// missing.
  public func addDistances(from value: Float, feature: Int, unit: Double, to sums: inout [Double]) {
    let (own, scale, count) = (Double(value), 1 / unit, sums.count)
    let column = base + feature * storedRowCount
    sums.withUnsafeMutableBufferPointer { sums in
      for row in 0..<count {
        let distance = abs(Double(column[places.map { Int($0[row]) } ?? row]) - own) * scale
        sums[row] += distance.isNaN ? 1 : distance
      }
    }
  }

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
