// Rows of a table where they lie: a wide table is too large to copy for each use of a part of its rows.

/// Some rows of a table, in a given order, without a copy of their cells.
public struct FeatureRows: Sendable {
  /// The table.
  public let features: Features
  /// The table's rows that stand here; nil for all of them.
  private let rows: [Int]?

  /// The given rows of a table, in the given order; all of them unless given.
  public init(_ features: Features, rows: [Int]? = nil) {
    self.features = features
    self.rows = rows
  }

  /// The number of rows.
  public var rowCount: Int { rows?.count ?? features.rowCount }

  /// One cell.
  public subscript(row: Int, feature: Int) -> Float {
    features[rows.map { $0[row] } ?? row, feature]
  }

  /// One feature's values over these rows.
  public func column(_ feature: Int) -> [Float] {
    guard let rows else { return Array(features.column(feature)) }
    return rows.map { features[$0, feature] }
  }

  /// A table of these rows alone.
  public func copied() -> Features {
    rows.map { features.selecting(rows: $0) } ?? features
  }
}
