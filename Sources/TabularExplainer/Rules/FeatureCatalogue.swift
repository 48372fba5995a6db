// What is known of a table's features when conditions on them are put into words.

import Tables

/// Names, kinds, and whether cells are missing, feature by feature.
public struct FeatureCatalogue: Sendable {
  /// The features' names.
  public let names: [String]
  /// The features' kinds.
  public let kinds: [FeatureKind]
  /// Whether some cell of the feature is missing.
  public let hasMissing: [Bool]

  /// Looks through a table.
  public init(_ features: Features) {
    names = features.names
    kinds = features.kinds
    hasMissing = (0..<features.count).map { features.column($0).contains { $0.isNaN } }
  }

  /// A cell as a reader would write it.
  public func text(_ value: Float, of feature: Int) -> String {
    if value.isNaN { return "missing" }
    switch kinds[feature] {
    case .numeric: return value.shortText
    case .categorical(let names):
      let index = Int(value)
      return names.indices.contains(index) ? names[index] : "another"
    }
  }

  /// A condition in words: `age ≤ 41.5`, `0.2 < x ≤ 3`, `colour is red or blue`, `income is missing`.
  public func text(_ condition: Condition) -> String {
    let name = names[condition.feature]
    let missing = condition.acceptsMissing && hasMissing[condition.feature]
    let or = missing ? " or missing" : ""
    switch condition.demand {
    case .range(let above, let atMost):
      if above >= atMost { return missing ? "\(name) is missing" : "\(name) is impossible" }
      switch (above.isFinite, atMost.isFinite) {
      case (false, false): return missing ? "\(name) is anything" : "\(name) is known"
      case (true, false): return "\(name) > \(above.shortText)\(or)"
      case (false, true): return "\(name) ≤ \(atMost.shortText)\(or)"
      case (true, true): return "\(above.shortText) < \(name) ≤ \(atMost.shortText)\(or)"
      }
    case .categories(let allowed):
      guard !allowed.isEmpty else { return missing ? "\(name) is missing" : "\(name) is impossible" }
      guard case .categorical(let names) = kinds[condition.feature] else { return name }
      let others = names.indices.filter { !allowed.contains($0) }
      if others.isEmpty { return missing ? "\(name) is anything" : "\(name) is known" }
      if others.count < allowed.count, missing || !hasMissing[condition.feature] {
        return "\(name) is not " + others.map { names[$0] }.joined(separator: " or ")
      }
      let chosen = allowed.map { names.indices.contains($0) ? names[$0] : "another" }
      return "\(name) is " + chosen.joined(separator: " or ") + or
    }
  }

  /// A box in words; `always` for the box that holds every row.
  public func text(_ box: Box) -> String {
    box.conditions.isEmpty ? "always" : box.conditions.map { text($0) }.joined(separator: " and ")
  }
}
