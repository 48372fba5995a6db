// Had these cells been different, the black box would have said something else.

import Tables

/// One cell's change.
public struct Change: Sendable, Equatable {
  /// The feature's index in the table.
  public var feature: Int
  /// The cell as it is.
  public var from: Float
  /// The cell as it would have to be.
  public var to: Float
}

/// A changed row of which the black box says the wanted outcome.
public struct Counterfactual: Sendable, Equatable {
  /// How it was found.
  public enum Method: String, Sendable {
    /// By moving the row into a box of the surrogate.
    case surrogateBox = "surrogate box"
    /// By taking cells over from a reference row of the wanted outcome.
    case donorRow = "donor row"
  }

  /// The changed cells, by rising feature index.
  public var changes: [Change]
  /// What the black box says of the changed row.
  public var outcome: Int
  /// The black box's outputs for the changed row.
  public var prediction: [Double]
  /// The sum of the changes in median absolute deviations.
  public var distance: Double
  /// How far the changed row is from the nearest reference row, over the surrogate's features, in the same unit.
  public var distanceToNearestRow: Double
  /// How it was found.
  public var method: Method
  /// Whether the changed row is further from every reference row than most of these are from each other.
  public var isUnlikeReference: Bool
}

/// Copies of one row with some cells changed, as a table that a black box can be asked about.
func variants(of row: [Float], in table: Features, changes: [[Change]]) -> Features {
  let count = changes.count
  var values: [Float] = []
  values.reserveCapacity(row.count * count)
  for value in row { values.append(contentsOf: repeatElement(value, count: count)) }
  for (variant, list) in changes.enumerated() {
    for change in list { values[change.feature * count + variant] = change.to }
  }
  return table.replacing(rowCount: count, values: values)
}
