// What a black box is asked to predict.

/// The target of a table: classes or quantities, one a row.
public enum Target: Sendable, Equatable {
  /// Class indices, and the classes' names.
  case classes([Int], names: [String])
  /// Quantities, for regression.
  case values([Float])

  /// The number of rows.
  public var count: Int {
    switch self {
    case .classes(let labels, _): labels.count
    case .values(let values): values.count
    }
  }

  /// The given rows, in the given order.
  public func selecting(rows: [Int]) -> Target {
    switch self {
    case .classes(let labels, let names): .classes(rows.map { labels[$0] }, names: names)
    case .values(let values): .values(rows.map { values[$0] })
    }
  }
}
