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

  /// By feature of the table; nil where it is not measured.
  private let entries: [Entry?]
  private let table: Features
  /// The features that are measured.
  public let features: [Int]

  /// Measures the given features of a table.
  public init(_ table: Features, features: [Int]) {
    self.table = table
    self.features = features
    var entries = [Entry?](repeating: nil, count: table.count)
    for feature in features { entries[feature] = Self.entry(table.column(feature), table.kinds[feature]) }
    self.entries = entries
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
    Self.distance(a, b, deviation: deviation(feature))
  }

  /// What a difference of two numbers is divided by; nil where cells are the same or not.
  private func deviation(_ feature: Int) -> Double? {
    guard let entry = entries[feature], !entry.isCategorical else { return nil }
    return entry.deviation
  }

  @inline(__always)
  private static func distance(_ a: Float, _ b: Float, deviation: Double?) -> Double {
    if a == b || (a.isNaN && b.isNaN) { return 0 }
    guard let deviation, !a.isNaN, !b.isNaN else { return 1 }
    return abs(Double(a) - Double(b)) / deviation
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
    distances(value).min() ?? .nan
  }

  /// The `count` reference rows among candidates that are nearest to a row, nearest first; equally near ones in the order
  /// given.
  func nearestRows(_ count: Int, among candidates: [Int], _ value: (Int) -> Float) -> [Int] {
    let distances = distances(value)
    var nearest: [Int] = []
    for row in candidates {
      if nearest.count == count {
        guard let last = nearest.last, distances[row] < distances[last] else { continue }
        nearest.removeLast()
      }
      let place = nearest.firstIndex { distances[row] < distances[$0] } ?? nearest.count
      nearest.insert(row, at: place)
    }
    return nearest
  }

  /// The distances from a row to every row of the reference table.
  private func distances(_ value: (Int) -> Float) -> [Double] {
    var distances = [Double](repeating: 0, count: table.rowCount)
    table.withCells { cells in
      for feature in features {
        let (own, deviation) = (value(feature), deviation(feature))
        if let deviation, own.isFinite {
          cells.addDistances(from: own, feature: feature, unit: deviation, to: &distances)
        } else {
          cells.forEach(of: feature, rowCount: table.rowCount) { row, cell in
            distances[row] += Self.distance(own, cell, deviation: deviation)
          }
        }
      }
    }
    return distances
  }
}
