// One demand on one feature: the atom of rules, boxes and counterfactuals.

import Tables

/// What a rule asks of one feature.
public struct Condition: Sendable, Equatable, Hashable, Codable {
  /// The demand on a cell that is not missing.
  public enum Demand: Sendable, Equatable, Hashable, Codable {
    /// `above < x ≤ atMost`; infinite where there is no bound.
    case range(above: Float, atMost: Float)
    /// The category's index is one of these, in rising order.
    case categories([Int])
  }

  /// The feature's index in the table.
  public var feature: Int
  /// The demand on cells that are not missing.
  public var demand: Demand
  /// Whether a missing cell meets the condition.
  public var acceptsMissing: Bool

  /// A condition on one feature.
  public init(feature: Int, demand: Demand, acceptsMissing: Bool) {
    self.feature = feature
    self.demand = demand
    self.acceptsMissing = acceptsMissing
  }

  /// Whether a cell meets the condition.
  public func holds(_ value: Float) -> Bool {
    if value.isNaN { return acceptsMissing }
    switch demand {
    case .range(let above, let atMost): return value > above && value <= atMost
    case .categories(let allowed):
      return allowed.contains { Float($0) == value }
    }
  }

  /// Whether no cell at all can meet the condition.
  public var isImpossible: Bool {
    guard !acceptsMissing else { return false }
    switch demand {
    case .range(let above, let atMost): return above >= atMost
    case .categories(let allowed): return allowed.isEmpty
    }
  }

  /// Both conditions in one; repeated bounds merge.
  /// - Precondition: both ask about the same feature.
  public func intersection(_ other: Condition) -> Condition {
    precondition(feature == other.feature, "conditions on features \(feature) and \(other.feature)")
    let accepts = acceptsMissing && other.acceptsMissing
    switch (demand, other.demand) {
    case (.range(let a, let b), .range(let c, let d)):
      return Condition(
        feature: feature, demand: .range(above: max(a, c), atMost: min(b, d)), acceptsMissing: accepts)
    case (.categories(let left), .categories(let right)):
      let both = Set(right)
      return Condition(
        feature: feature, demand: .categories(left.filter { both.contains($0) }), acceptsMissing: accepts)
    default:
      preconditionFailure("a range and a set of categories on feature \(feature)")
    }
  }
}

/// A conjunction of conditions, at most one a feature: an axis-parallel box.
public struct Box: Sendable, Equatable, Hashable, Codable {
  /// The conditions, by rising feature index.
  public private(set) var conditions: [Condition]

  /// The box that holds every row.
  public init() { conditions = [] }

  /// The conjunction of the given conditions.
  public init(_ conditions: [Condition]) {
    self.conditions = []
    for condition in conditions { add(condition) }
  }

  /// Adds a condition, merging it with what is asked of the same feature already.
  public mutating func add(_ condition: Condition) {
    if let place = conditions.firstIndex(where: { $0.feature == condition.feature }) {
      conditions[place] = conditions[place].intersection(condition)
    } else {
      let place = conditions.firstIndex { $0.feature > condition.feature } ?? conditions.count
      conditions.insert(condition, at: place)
    }
  }

  /// The box without what it asks of one feature.
  public func dropping(feature: Int) -> Box {
    var box = self
    box.conditions.removeAll { $0.feature == feature }
    return box
  }

  /// Whether a row lies in the box.
  /// - Parameter value: the row's cell of a feature.
  public func holds(_ value: (Int) -> Float) -> Bool {
    conditions.allSatisfy { $0.holds(value($0.feature)) }
  }
}
