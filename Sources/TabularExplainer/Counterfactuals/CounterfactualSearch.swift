// Counterfactuals from a surrogate's boxes, nearest first, each checked on the black box itself.

import Tables
import Tensors

/// Searches changed rows for which a black box says another outcome.
public struct CounterfactualSearch: Sendable {
  private let blackBox: any BlackBox
  private let outcomes: Outcomes
  private let reference: Features
  private let referenceOutcomes: [Int]
  private let rules: [Rule]
  private let scale: ChangeScale
  private let featuresByImportance: [Int]
  private let usualGap: Double
  /// How many changed rows the black box is asked about at once.
  private static let batch = 24

  /// Prepares a search.
  ///
  /// - Parameters:
  ///   - surrogate: a surrogate with rules, best a tree: its boxes part the space.
  ///   - reference: the rows whose values may be taken: the training rows.
  ///   - referenceOutcomes: what the black box says of them.
  ///   - featuresByImportance: the features a donor row's cells are taken from, the most important first; starts
  ///     with the surrogate's own.
  public init(
    _ blackBox: any BlackBox, outcomes: Outcomes, surrogate: Surrogate, reference: Features,
    referenceOutcomes: [Int], featuresByImportance: [Int]
  ) {
    self.blackBox = blackBox
    self.outcomes = outcomes
    self.reference = reference
    self.referenceOutcomes = referenceOutcomes
    self.featuresByImportance = featuresByImportance
    rules = surrogate.rules
    let scale = ChangeScale(reference, features: surrogate.features.sorted())
    self.scale = scale
    // The median gap between a reference row and its nearest other, over at most 60 rows.
    let sample = stride(from: 0, to: reference.rowCount, by: max(1, reference.rowCount / 60))
    let gaps = sample.map { row in
      let others = (0..<reference.rowCount).filter { $0 != row }.prefix(400)
      return others.map { other in
        scale.features.reduce(0.0) { $0 + scale.distance($1, reference[row, $1], reference[other, $1]) }
      }.min() ?? 0
    }.sorted()
    usualGap = quantile(0.9, ofSorted: gaps)
  }

  /// Up to `count` counterfactuals with different sets of changed features, nearest first.
  ///
  /// - Parameters:
  ///   - row: the row's cells.
  ///   - wanted: the outcome that is asked for.
  ///   - limits: what may not be changed.
  /// - Throws: what the black box throws.
  public func counterfactuals(
    for row: [Float], wanted: Int, limits: ChangeLimits = ChangeLimits(), count: Int = 4
  ) throws -> [Counterfactual] {
    var found: [Counterfactual] = []
    let proposals = boxProposals(row, wanted, limits)
    var start = 0
    while start < proposals.count, found.count < count {
      let batch = Array(proposals[start..<min(start + Self.batch, proposals.count)])
      start += Self.batch
      for (changes, flips) in zip(batch, try check(row, batch, wanted)) where flips {
        let reduced = try reduce(row, changes, wanted)
        try accept(row, reduced, .surrogateBox, wanted, into: &found)
        if found.count == count { break }
      }
    }
    if found.count < count {
      try addDonors(row, wanted, limits, count, into: &found)
    }
    return found.sorted { ($0.changes.count, $0.distance) < ($1.changes.count, $1.distance) }
  }

  /// For every box of the wanted outcome the nearest allowed point in it, by number of changes and then distance.
  private func boxProposals(_ row: [Float], _ wanted: Int, _ limits: ChangeLimits) -> [[Change]] {
    var proposals: [(changes: [Change], distance: Double)] = []
    for rule in rules where outcomes.outcome(rule.prediction) == wanted {
      var edge: [Change] = []
      var deep: [Change] = []
      var isPossible = true
      for condition in rule.box.conditions where !condition.holds(row[condition.feature]) {
        let current = row[condition.feature]
        let values = scale.nearestValues(meeting: condition, from: current, limits: limits)
        if let nearest = values.first {
          edge.append(Change(feature: condition.feature, from: current, to: nearest))
          // A second proposal goes a third of the observed values further in: black boxes blur a surrogate's edges.
          deep.append(Change(feature: condition.feature, from: current, to: values[values.count / 3]))
        } else if condition.acceptsMissing,
          limits.allows(feature: condition.feature, from: current, to: .nan)
        {
          edge.append(Change(feature: condition.feature, from: current, to: .nan))
          deep.append(Change(feature: condition.feature, from: current, to: .nan))
        } else {
          isPossible = false
          break
        }
      }
      guard isPossible, !edge.isEmpty else { continue }
      proposals.append((edge, distance(edge)))
      if !same(edge, deep) { proposals.append((deep, distance(deep))) }
    }
    proposals.sort { ($0.changes.count, $0.distance) < ($1.changes.count, $1.distance) }
    return proposals.map(\.changes)
  }

  private func same(_ a: [Change], _ b: [Change]) -> Bool {
    zip(a, b).allSatisfy { $0.to == $1.to || ($0.to.isNaN && $1.to.isNaN) }
  }

  private func distance(_ changes: [Change]) -> Double {
    changes.reduce(0) { $0 + scale.distance($1.feature, $1.from, $1.to) }
  }

  private func check(_ row: [Float], _ proposals: [[Change]], _ wanted: Int) throws -> [Bool] {
    guard !proposals.isEmpty else { return [] }
    let outputs = try blackBox.predict(variants(of: row, in: reference, changes: proposals))
    return outcomes.outcomes(outputs).map { $0 == wanted }
  }

  /// Takes changes back, the largest first, as long as the black box still says the wanted outcome.
  private func reduce(_ row: [Float], _ changes: [Change], _ wanted: Int) throws -> [Change] {
    var kept = changes
    while kept.count > 1 {
      let shorter = kept.indices.map { index in
        var rest = kept
        rest.remove(at: index)
        return rest
      }
      let flips = try check(row, shorter, wanted)
      let possible = shorter.indices.filter { flips[$0] }
      guard let best = possible.min(by: { distance(shorter[$0]) < distance(shorter[$1]) }) else { break }
      kept = shorter[best]
    }
    return kept
  }

  /// Keeps a counterfactual unless it changes a superset of what another changes.
  private func accept(
    _ row: [Float], _ changes: [Change], _ method: Counterfactual.Method, _ wanted: Int,
    into found: inout [Counterfactual]
  ) throws {
    let changed = Set(changes.map(\.feature))
    guard !changes.isEmpty, !found.contains(where: { changed.isSuperset(of: $0.changes.map(\.feature)) })
    else {
      return
    }
    found.removeAll { Set($0.changes.map(\.feature)).isSuperset(of: changed) }
    let outputs = try blackBox.predict(variants(of: row, in: reference, changes: [changes]))
    var moved = row
    for change in changes { moved[change.feature] = change.to }
    let gap = scale.distanceToNearestRow { moved[$0] }
    found.append(
      Counterfactual(
        changes: changes.sorted { $0.feature < $1.feature }, outcome: wanted,
        prediction: outputs.values.map { Double($0) }, distance: distance(changes),
        distanceToNearestRow: gap, method: method, isUnlikeReference: gap > usualGap))
  }

  /// Takes over cells of the nearest reference rows of the wanted outcome, as few as flip the black box.
  private func addDonors(
    _ row: [Float], _ wanted: Int, _ limits: ChangeLimits, _ count: Int, into found: inout [Counterfactual]
  ) throws {
    let candidates = referenceOutcomes.indices.filter { referenceOutcomes[$0] == wanted }
    for donor in scale.rowsByDistance(candidates, { row[$0] }).prefix(4 * count) {
      let possible = featuresByImportance.compactMap { feature -> Change? in
        let (old, new) = (row[feature], reference[donor, feature])
        let differs = old != new && !(old.isNaN && new.isNaN)
        return differs && limits.allows(feature: feature, from: old, to: new)
          ? Change(feature: feature, from: old, to: new) : nil
      }
      guard !possible.isEmpty else { continue }
      // The shortest prefix, doubling, that flips.
      var lengths: [Int] = []
      var length = 1
      while length < possible.count {
        lengths.append(length)
        length *= 2
      }
      lengths.append(possible.count)
      let flips = try check(row, lengths.map { Array(possible.prefix($0)) }, wanted)
      guard let first = flips.firstIndex(of: true) else { continue }
      var changes = Array(possible.prefix(lengths[first]))
      if changes.count > 64 { changes = try halved(row, changes, wanted) }
      try accept(row, try reduce(row, changes, wanted), .donorRow, wanted, into: &found)
      if found.count >= count { return }
    }
  }

  /// Takes back whole stretches of changes, so that few are left to try one by one.
  private func halved(_ row: [Float], _ changes: [Change], _ wanted: Int) throws -> [Change] {
    var kept = changes
    var stretch = kept.count / 2
    while stretch >= max(1, kept.count / 64) {
      var start = 0
      while start < kept.count {
        var shorter = kept
        shorter.removeSubrange(start..<min(start + stretch, kept.count))
        if !shorter.isEmpty, try check(row, [shorter], wanted)[0] { kept = shorter } else { start += stretch }
      }
      stretch /= 2
    }
    return kept
  }
}
