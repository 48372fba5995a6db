// Had these cells been different, the black box would have said something else.

import Tables

/// One cell's change.
public struct Change: Sendable, Equatable, Codable {
  /// The feature's index in the table.
  public var feature: Int
  /// The cell as it is.
  public var from: Float
  /// The cell as it would have to be.
  public var to: Float
}

/// A changed row of which the black box says the wanted outcome.
public struct Counterfactual: Sendable, Equatable, Codable {
  /// How it was found.
  public enum Method: String, Sendable, Codable {
    /// By moving the row into a box of the surrogate.
    case surrogateBox = "surrogate box"
    /// By taking cells over from a reference row of the wanted outcome.
    case donorRow = "donor row"
    /// By changing one cell after the other to the observed value that brings the black box nearest.
    case stepByStep = "step by step"
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
  variants(changes.map { (row, $0) }, in: table)
}

/// Rows with some cells changed, as a table that a black box can be asked about.
///
/// Parts of a date that is changed are those of the new one.
func variants(_ variants: [(row: [Float], changes: [Change])], in table: Features) -> Features {
  let count = variants.count
  var values: [Float] = []
  values.reserveCapacity(table.count * count)
  for feature in 0..<table.count {
    for (row, _) in variants { values.append(row[feature]) }
  }
  let parts = table.dateParts
  for (place, variant) in variants.enumerated() {
    for change in variant.changes { values[change.feature * count + place] = change.to }
    for part in parts {
      guard let change = variant.changes.first(where: { $0.feature == part.source }) else { continue }
      values[part.feature * count + place] = part.cell(table, change.to)
    }
  }
  return table.replacing(rowCount: count, values: values)
}

/// A feature that is a part of the date or time in another.
struct DatePartFeature {
  var feature: Int
  var source: Int
  private var part: DatePart

  fileprivate init(feature: Int, source: Int, part: DatePart) {
    (self.feature, self.source, self.part) = (feature, source, part)
  }

  /// The part's cell for a cell of its source.
  func cell(_ table: Features, _ moment: Float) -> Float {
    let value = table.exactValue(moment, of: source)
    if case .date? = table.forms[source] { return part.cell(seconds: value * 86_400) }
    return part.cell(seconds: value)
  }
}

extension Features {
  /// The features that are parts of others.
  var dateParts: [DatePartFeature] {
    forms.keys.sorted().compactMap { feature in
      guard case .part(let part, let name)? = forms[feature], let source = names.firstIndex(of: name) else {
        return nil
      }
      return DatePartFeature(feature: feature, source: source, part: part)
    }
  }
}
