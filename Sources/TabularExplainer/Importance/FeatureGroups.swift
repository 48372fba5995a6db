// Features that say the same: shuffling one of them costs a model little, for the others still tell. Together they do.

import Tables
import Tensors

/// Features in groups, so that correlated ones can be probed as one.
public struct FeatureGroups: Sendable, Equatable, Codable {
  /// How alike two features are.
  public enum Likeness: String, Sendable, Codable {
    /// |ρ| of the cells.
    case pearson
    /// |ρ| of the cells' ranks: anything that rises or falls with the other.
    case spearman
  }

  /// The features of each group, as places in the table, rising; groups in the order of their first member.
  public let members: [[Int]]
  /// Their names.
  public let names: [[String]]
  /// The least |ρ| at which two features are joined.
  public let threshold: Double
  /// How likeness is measured.
  public let likeness: Likeness

  /// Joins features whose |ρ| reaches `threshold`, and what is joined to the same feature (single linkage).
  ///
  /// Missing cells count as average ones. A category's number says nothing about its size, so that features with more
  /// than two categories stay alone, and so do constant ones. Time: `candidates² · rows`.
  /// - Parameter candidates: the features to group, such as the most important ones.
  public init(
    _ features: Features, candidates: [Int], threshold: Double = 0.9, likeness: Likeness = .spearman
  ) {
    let columns = candidates.map { Self.standardised(features, $0, likeness) }
    var union = UnionFind(count: candidates.count)
    for (place, column) in columns.enumerated() where !column.isEmpty {
      // Each pair once.
      for other in 0..<place where !columns[other].isEmpty {
        let correlation = zip(column, columns[other]).reduce(0) { $0 + $1.0 * $1.1 }
        if abs(correlation) >= threshold - 1e-12 { union.join(place, other) }
      }
    }
    members = Dictionary(grouping: candidates.indices, by: { union.root(of: $0) }).values
      .map { $0.map { candidates[$0] }.sorted() }.sorted { $0[0] < $1[0] }
    names = members.map { $0.map { features.names[$0] } }
    self.threshold = threshold
    self.likeness = likeness
  }

  /// A column of mean 0 and length 1, so that products are correlations; empty where it does not vary or has no order.
  private static func standardised(_ features: Features, _ feature: Int, _ likeness: Likeness) -> [Double] {
    if case .categorical(let names) = features.kinds[feature], names.count > 2 { return [] }
    let cells = features.column(feature)
    let numbers = likeness == .spearman ? middleRanks(cells) : cells.map { Double($0) }
    let present = numbers.filter { !$0.isNaN }
    let mean = present.reduce(0, +) / Double(max(1, present.count))
    let centred = numbers.map { $0.isNaN ? 0 : $0 - mean }
    let length = centred.reduce(0) { $0 + $1 * $1 }.squareRoot()
    return length > 0 && length.isFinite ? centred.map { $0 / length } : []
  }

  /// Ranks from 0, equals at the middle of theirs; missing stays missing.
  private static func middleRanks(_ cells: [Float]) -> [Double] {
    let cells = Array(cells)
    let order = cells.indices.filter { !cells[$0].isNaN }.sorted { cells[$0] < cells[$1] }
    var ranks = [Double](repeating: .nan, count: cells.count)
    var start = 0
    while start < order.count {
      var end = start + 1
      while end < order.count, cells[order[end]] == cells[order[start]] { end += 1 }
      for place in start..<end { ranks[order[place]] = Double(start + end - 1) / 2 }
      start = end
    }
    return ranks
  }
}

/// How much groups of features matter to a black box.
public struct GroupImportance: Sendable, Equatable, Codable {
  /// The groups.
  public let groups: FeatureGroups
  /// One number a group: the mean fall of the score.
  public let values: [Double]
  /// The least and the greatest fall.
  public let intervals: [ClosedRange<Double>]

  /// Groups by falling importance; equals in their order.
  public var ranking: [Int] { values.indices.sorted { (-values[$0], $0) < (-values[$1], $1) } }
}

extension PermutationProbe {
  /// The fall of `score` when the columns of each group are shuffled together, rows of the group kept whole.
  /// - Parameters:
  ///   - features: rows that the model has not been fitted to, with the columns that were grouped.
  ///   - score: from predictions `[rows, outputs]` to a number of which more is better.
  /// - Throws: what the black box throws.
  public func importance(
    of model: any BlackBox, on features: Features, groups: FeatureGroups, score: (Tensor) -> Double
  ) throws -> GroupImportance {
    let losses = try losses(
      of: groups.members, in: ChangedTables(features, model: model), features, score: score)
    return GroupImportance(groups: groups, values: losses.map(\.mean), intervals: losses.map(\.range))
  }
}

/// Disjoint sets (Tarjan 1975), with path halving.
private struct UnionFind {
  private var parents: [Int]

  init(count: Int) { parents = Array(0..<count) }

  mutating func root(of element: Int) -> Int {
    var element = element
    while parents[element] != element {
      parents[element] = parents[parents[element]]
      element = parents[element]
    }
    return element
  }

  mutating func join(_ left: Int, _ right: Int) { parents[root(of: left)] = root(of: right) }
}
