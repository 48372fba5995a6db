// Columns that give the target away: a model that uses one learns nothing about the others.

import Tensors

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
    let kinds: [Leak.Kind?]
    switch target {
    case .values(let values):
      kinds = parallelMap(features.count) { isLinear(features.column($0), values) ? .linear : nil }
    case .classes(let labels, let names):
      guard rowCount >= 20, Set(labels).count > 1 else { return [] }
      kinds = parallelMap(features.count) { leak(features.column($0), labels, classes: names.count) }
    }
    return zip(features.names, kinds).compactMap { name, kind in kind.map { Leak(feature: name, kind: $0) } }
  }

  private func leak(_ column: [Float], _ labels: [Int], classes: Int) -> Leak.Kind? {
    if hasRangePerClass(column, labels, classes: classes) { return .rangePerClass }
    return hasValuePerClass(column, labels) ? .valuePerClass : nil
  }

  /// Whether the classes' values lie side by side without meeting; missing cells count as above all values.
  private func hasRangePerClass(_ column: [Float], _ labels: [Int], classes: Int) -> Bool {
    var ranges = [(low: Float, high: Float)?](repeating: nil, count: classes)
    for (value, label) in zip(column, labels) {
      let value = value.isNaN ? .infinity : value
      guard let range = ranges[label] else {
        ranges[label] = (value, value)
        continue
      }
      if value < range.low { ranges[label]?.low = value }
      if value > range.high { ranges[label]?.high = value }
    }
    let sorted = ranges.compactMap { $0 }.sorted { $0.low < $1.low }
    return zip(sorted, sorted.dropFirst()).allSatisfy { $0.high < $1.low }
  }

  /// Whether each value is met with one class only, and every value often.
  private func hasValuePerClass(_ column: [Float], _ labels: [Int]) -> Bool {
    var labelOf: [Float: Int] = [:]
    var labelOfMissing: Int?
    for (value, label) in zip(column, labels) {
      if value.isNaN {
        if let known = labelOfMissing, known != label { return false }
        labelOfMissing = label
      } else if let known = labelOf[value] {
        if known != label { return false }
      } else {
        labelOf[value] = label
        if labelOf.count * 4 > rowCount { return false }
      }
    }
    return (labelOf.count + (labelOfMissing == nil ? 0 : 1)) * 4 <= rowCount
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
