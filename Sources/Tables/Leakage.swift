// Columns that give the target away: a model that uses one learns nothing about the others.

/// A feature that determines the target by itself.
public struct Leak: Sendable, Equatable, Codable {
  /// The feature's name.
  public var feature: String
  /// How it does so.
  public var kind: Kind

  /// How a feature determines the target.
  public enum Kind: String, Sendable, Codable {
    /// Each of its values belongs to one class.
    case valuePerClass
    /// One range of values per class.
    case rangePerClass
    /// The target is a straight-line function of it.
    case linear
  }
}

extension Table {
  /// Features that determine the target by themselves, in column order.
  ///
  /// A category or a value tells the class only where it is seen in at least four rows on average: an identifier
  /// tells every row apart and is no leak. Ranges count from 20 rows on, and for small wide tables are expected by
  /// chance; whether one is a leak or a discovery is for the reader to say.
  public func leaks() -> [Leak] {
    features.names.indices.compactMap { feature in
      leak(Array(features.column(feature))).map { Leak(feature: features.names[feature], kind: $0) }
    }
  }

  private func leak(_ column: [Float]) -> Leak.Kind? {
    switch target {
    case .values(let values): return isLinear(column, values) ? .linear : nil
    case .classes(let labels, _):
      guard rowCount >= 20, Set(labels).count > 1 else { return nil }
      // Most columns fail within a few rows: the first value that is met with two classes ends it. With one value
      // per row no value repeats, and the sort below decides.
      let order = column.indices.sorted { precedes(column[$0], column[$1]) }
      var (runs, distinct) = (1, 1)
      for (last, next) in zip(order, order.dropFirst()) {
        let isSameValue = !precedes(column[last], column[next])
        if !isSameValue { distinct += 1 }
        if labels[last] != labels[next] {
          if isSameValue { return nil }
          runs += 1
        }
      }
      if runs == Set(labels).count { return .rangePerClass }
      return distinct * 4 <= rowCount ? .valuePerClass : nil
    }
  }

  /// Rising order with missing cells last.
  private func precedes(_ left: Float, _ right: Float) -> Bool {
    left < right || (right.isNaN && !left.isNaN)
  }

  private func isLinear(_ column: [Float], _ values: [Float]) -> Bool {
    guard rowCount >= 20, !column.contains(where: \.isNaN) else { return false }
    let n = Double(rowCount)
    let (meanX, meanY) = (
      column.reduce(0) { $0 + Double($1) } / n, values.reduce(0) { $0 + Double($1) } / n
    )
    var (xx, xy, yy) = (0.0, 0.0, 0.0)
    for (x, y) in zip(column, values) {
      let (dx, dy) = (Double(x) - meanX, Double(y) - meanY)
      (xx, xy, yy) = (xx + dx * dx, xy + dx * dy, yy + dy * dy)
    }
    return xx > 0 && yy > 0 && xy * xy > 0.999_999 * xx * yy
  }
}
