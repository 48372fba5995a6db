// A column of a table given other cells: what a probe asks a model about, without a copy of the table.

/// Other cells for one feature, a cell a row.
public struct ReplacedColumn: Sendable, Equatable {
  /// The feature's place in the table.
  public let feature: Int
  /// Its cells, one a row.
  public let cells: [Float]

  /// Other cells for `feature`.
  public init(feature: Int, cells: [Float]) {
    self.feature = feature
    self.cells = cells
  }
}
