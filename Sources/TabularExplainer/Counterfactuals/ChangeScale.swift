// How far a change goes, measured in what is usual for the feature; and which values it may be given.

import Tables

/// Observed values and typical deviations of some features of a reference table.
public struct ChangeScale: Sendable {
  struct Entry: Sendable {
    /// The distinct observed values, rising; for categories their indices, the most frequent first.
    var values: [Float]
    var isCategorical: Bool
    /// The median absolute deviation, never 0; 1 for categories.
    var deviation: Double
  }

  private let entries: [Int: Entry]
  private let table: Features
  /// The features that are measured.
  public let features: [Int]

  /// Measures the given features of a table.
  public init(_ table: Features, features: [Int]) {
    self.table = table
    self.features = features
    entries = Dictionary(
      uniqueKeysWithValues: features.map { ($0, Self.entry(table.column($0), table.kinds[$0])) })
  }

  private static func entry(_ column: [Float], _ kind: FeatureKind) -> Entry {
    let present = column.filter { !$0.isNaN }.sorted()
    if case .categorical = kind {
      var counts: [Float: Int] = [:]
      for value in present { counts[value, default: 0] += 1 }
      let order = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.map(\.key)
      return Entry(values: order, isCategorical: true, deviation: 1)
    }
    var distinct: [Float] = []
    for value in present where distinct.last != value { distinct.append(value) }
    guard !present.isEmpty else { return Entry(values: [], isCategorical: false, deviation: 1) }
    let middle = Double(present[present.count / 2])
    let deviations = present.map { abs(Double($0) - middle) }.sorted()
    var deviation = deviations[deviations.count / 2]
    // More than half the cells may be equal; their mean deviation still tells large from small.
    if deviation == 0 { deviation = deviations.reduce(0, +) / Double(deviations.count) }
    return Entry(values: distinct, isCategorical: false, deviation: deviation > 0 ? deviation : 1)
  }

  /// How far apart two cells of a feature are, in deviations; a category or a missing cell counts 1.
  public func distance(_ feature: Int, _ a: Float, _ b: Float) -> Double {
    if a == b || (a.isNaN && b.isNaN) { return 0 }
    guard let entry = entries[feature], !entry.isCategorical, !a.isNaN, !b.isNaN else { return 1 }
    return abs(Double(a) - Double(b)) / entry.deviation
  }

  /// The observed values nearest to `current` that meet a condition and are allowed, nearest first.
  func nearestValues(meeting condition: Condition, from current: Float, limits: ChangeLimits) -> [Float] {
    guard let entry = entries[condition.feature] else { return [] }
    let allowed = entry.values.filter {
      condition.holds($0) && limits.allows(feature: condition.feature, from: current, to: $0)
    }
    if entry.isCategorical { return allowed }
    guard !current.isNaN else { return allowed.isEmpty ? [] : [allowed[allowed.count / 2]] }
    return allowed.sorted { abs($0 - current) < abs($1 - current) }
  }

  /// Up to `count` observed values of a feature that it may be given: spread over its range, with those next to the
  /// current one; the most frequent categories.
  func spreadValues(_ feature: Int, from current: Float, limits: ChangeLimits, count: Int) -> [Float] {
    guard let entry = entries[feature] else { return [] }
    let allowed = entry.values.filter {
      $0 != current && limits.allows(feature: feature, from: current, to: $0)
    }
    guard !entry.isCategorical, allowed.count > count else { return Array(allowed.prefix(count)) }
    let spread = (0..<count - 2).map { allowed[$0 * (allowed.count - 1) / (count - 3)] }
    let below = allowed.last { $0 < current }
    let above = allowed.first { $0 > current }
    return Array(Set(spread + [below, above].compactMap { $0 })).sorted()
  }

  /// The distance from a row to the nearest row of the reference table, over the measured features, in deviations.
  public func distanceToNearestRow(_ value: (Int) -> Float) -> Double {
    var distances = [Double](repeating: 0, count: table.rowCount)
    for feature in features {
      let own = value(feature)
      for row in distances.indices { distances[row] += distance(feature, own, table[row, feature]) }
    }
    return distances.min() ?? .nan
  }

  /// The reference rows by distance from a row, nearest first.
  func rowsByDistance(_ candidates: [Int], _ value: (Int) -> Float) -> [Int] {
    var distances = [Double](repeating: 0, count: candidates.count)
    for feature in features {
      let own = value(feature)
      for (place, row) in candidates.enumerated() {
        distances[place] += distance(feature, own, table[row, feature])
      }
    }
    return candidates.indices.sorted { (distances[$0], $0) < (distances[$1], $1) }.map { candidates[$0] }
  }
}
