// Counterfactuals from a surrogate's boxes, nearest first, each checked on the black box itself; then step by step on the
// black box alone, and towards rows of which it says what is wanted.

import Tables
import Tensors

/// Searches changed rows for which a black box says another outcome.
public struct CounterfactualSearch: Sendable {
  private let blackBox: any BlackBox
  private let outcomes: Outcomes
  private let reference: Features
  private let referenceOutputs: Tensor
  /// By outcome, the reference rows of which the black box says it.
  private let rowsByOutcome: [[Int]]
  private let rules: [Rule]
  private let scale: ChangeScale
  private let steps: ChangeScale
  private let featuresByImportance: [Int]
  /// Features that follow from others, and are never changed by themselves.
  private let derived: Set<Int>
  private let usualGap: Double
  /// How many changed rows the black box is asked about at once.
  private static let batch = 24
  /// The features and the values of each that a step looks at, and the most steps.
  private static let stepFeatures = 30
  private static let stepValues = 12
  private static let mostSteps = 8
  /// The features that a donor's cells are taken over from, one at a time.
  private static let donorFeatures = 60

  /// Prepares a search.
  ///
  /// - Parameters:
  ///   - surrogate: a surrogate with rules, best a tree: its boxes part the space.
  ///   - reference: the rows whose values may be taken: the training rows.
  ///   - referenceOutputs: what the black box says of them, shape `[rows, outputs]`.
  ///   - featuresByImportance: the features a donor row's cells are taken from, the most important first; starts
  ///     with the surrogate's own.
  public init(
    _ blackBox: any BlackBox, outcomes: Outcomes, surrogate: Surrogate, reference: Features,
    referenceOutputs: Tensor, featuresByImportance: [Int]
  ) {
    self.blackBox = blackBox
    self.outcomes = outcomes
    self.reference = reference
    self.referenceOutputs = referenceOutputs
    var rowsByOutcome = [[Int]](repeating: [], count: outcomes.count)
    for (row, outcome) in outcomes.outcomes(referenceOutputs).enumerated() {
      rowsByOutcome[outcome].append(row)
    }
    self.rowsByOutcome = rowsByOutcome
    self.featuresByImportance = featuresByImportance
    rules = surrogate.rules
    derived = Set(reference.dateParts.map(\.feature))
    let scale = ChangeScale(reference, features: surrogate.features.sorted())
    self.scale = scale
    let stepped = Set(featuresByImportance.prefix(Self.stepFeatures)).union(surrogate.features)
    steps = ChangeScale(reference, features: stepped.sorted())
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
  /// - Parameters:
  ///   - row: the row's cells.
  ///   - wanted: the outcome that is asked for.
  ///   - limits: what may not be changed.
  /// - Throws: what the black box throws.
  public func counterfactuals(
    for row: [Float], wanted: Int, limits: ChangeLimits = ChangeLimits(), count: Int = 4
  ) throws -> [Counterfactual] {
    try counterfactuals(for: row, wanted: .outcome(wanted), limits: limits, count: count)
  }

  /// The same for any wanted outcome.
  public func counterfactuals(
    for row: [Float], wanted: WantedOutcome, limits: ChangeLimits = ChangeLimits(), count: Int = 4
  ) throws -> [Counterfactual] {
    let single = reference.replacing(rowCount: 1, values: row)
    return try counterfactuals(
      for: 0, of: ChangedRows(single, model: blackBox), wanted: wanted, limits: limits, count: count)
  }

  /// The same for a row of a table that the black box has seen.
  func counterfactuals(
    for place: Int, of rows: ChangedRows, wanted: WantedOutcome, limits: ChangeLimits, count: Int
  ) throws -> [Counterfactual] {
    var limits = limits
    limits.immutable.formUnion(derived)
    let asked = Asked(
      rows: rows, place: place, row: rows.rows.row(place), wanted: wanted, limits: limits, count: count)
    var found: [Counterfactual] = []
    let proposals = boxProposals(asked)
    var start = 0
    while start < proposals.count, found.count < count {
      let batch = Array(proposals[start..<min(start + Self.batch, proposals.count)])
      start += Self.batch
      for (changes, flips) in zip(batch, try check(asked, batch)) where flips {
        let reduced = try reduce(asked, changes)
        try accept(asked, reduced, .surrogateBox, into: &found)
        if found.count == count { break }
      }
    }
    if found.isEmpty { try addSteps(asked, into: &found) }
    if found.count < count { try addDonors(asked, into: &found) }
    return found.sorted { ($0.changes.count, $0.distance) < ($1.changes.count, $1.distance) }
  }

  /// A question to the search.
  private struct Asked {
    var rows: ChangedRows
    /// The row's place among them.
    var place: Int
    var row: [Float]
    var wanted: WantedOutcome
    var limits: ChangeLimits
    var count: Int

    func permits(_ changes: [Change]) -> Bool { changes.count <= limits.maximumChanges ?? .max }
  }

  /// For every box of the wanted outcome the nearest allowed point in it, by number of changes and then distance.
  private func boxProposals(_ asked: Asked) -> [[Change]] {
    let (row, limits) = (asked.row, asked.limits)
    var proposals: [(changes: [Change], distance: Double)] = []
    for rule in rules where asked.wanted.isMet(by: rule.prediction, outcomes) {
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
    changes.reduce(0) { $0 + steps.distance($1.feature, $1.from, $1.to) }
  }

  private func outputs(_ asked: Asked, _ proposals: [[Change]]) throws -> [[Double]] {
    try asked.rows.outputs(row: asked.place, changes: proposals)
  }

  private func check(_ asked: Asked, _ proposals: [[Change]]) throws -> [Bool] {
    try outputs(asked, proposals).map { asked.wanted.isMet(by: $0, outcomes) }
  }

  /// Takes changes back, the largest first, as long as the black box still says the wanted outcome.
  private func reduce(_ asked: Asked, _ changes: [Change]) throws -> [Change] {
    var kept = changes
    while kept.count > 1 {
      let shorter = kept.indices.map { index in
        var rest = kept
        rest.remove(at: index)
        return rest
      }
      let flips = try check(asked, shorter)
      let possible = shorter.indices.filter { flips[$0] }
      guard let best = possible.min(by: { distance(shorter[$0]) < distance(shorter[$1]) }) else { break }
      kept = shorter[best]
    }
    return kept
  }

  /// Keeps a counterfactual unless it changes a superset of what another changes, or too much.
  private func accept(
    _ asked: Asked, _ changes: [Change], _ method: Counterfactual.Method, into found: inout [Counterfactual]
  ) throws {
    let changed = Set(changes.map(\.feature))
    guard !changes.isEmpty, asked.permits(changes),
      !found.contains(where: { changed.isSuperset(of: $0.changes.map(\.feature)) })
    else { return }
    found.removeAll { Set($0.changes.map(\.feature)).isSuperset(of: changed) }
    let prediction = try outputs(asked, [changes])[0]
    var moved = asked.row
    for change in changes { moved[change.feature] = change.to }
    let gap = scale.distanceToNearestRow { moved[$0] }
    found.append(
      Counterfactual(
        changes: changes.sorted { $0.feature < $1.feature }, outcome: outcomes.outcome(prediction),
        prediction: prediction, distance: distance(changes), distanceToNearestRow: gap, method: method,
        isUnlikeReference: gap > usualGap))
  }

  // MARK: - Without the surrogate

  /// Changes one cell after the other to the observed value that brings the black box nearest to what is wanted.
  ///
  /// The surrogate may never name a rare class, or know a wanted range; the black box does.
  private func addSteps(_ asked: Asked, into found: inout [Counterfactual]) throws {
    let candidates = featuresByImportance.prefix(Self.stepFeatures).flatMap { feature -> [Change] in
      let old = asked.row[feature]
      return steps.spreadValues(feature, from: old, limits: asked.limits, count: Self.stepValues)
        .map { Change(feature: feature, from: old, to: $0) }
    }
    var changes: [Change] = []
    var nearest = asked.wanted.nearness(of: try outputs(asked, [[]])[0], outcomes)
    while changes.count < min(Self.mostSteps, asked.limits.maximumChanges ?? .max) {
      let taken = Set(changes.map(\.feature))
      let proposals = candidates.filter { !taken.contains($0.feature) }.map { changes + [$0] }
      let answers = try outputs(asked, proposals)
      let flipping = proposals.indices.filter { asked.wanted.isMet(by: answers[$0], outcomes) }
      if !flipping.isEmpty {
        for index in flipping.sorted(by: { distance(proposals[$0]) < distance(proposals[$1]) }) {
          try accept(asked, try reduce(asked, proposals[index]), .stepByStep, into: &found)
          if found.count >= asked.count { return }
        }
        return
      }
      let nearnesses = answers.map { asked.wanted.nearness(of: $0, outcomes) }
      guard let best = proposals.indices.max(by: { nearnesses[$0] < nearnesses[$1] }),
        nearnesses[best] > nearest
      else { return }
      nearest = nearnesses[best]
      changes = proposals[best]
    }
  }

  /// Takes over cells of the nearest reference rows of which the black box says what is wanted: one after the other, each
  /// time the cell that brings it nearest.
  private func addDonors(_ asked: Asked, into found: inout [Counterfactual]) throws {
    let donors = scale.nearestRows(2 * asked.count, among: rows(of: asked.wanted)) { asked.row[$0] }
    for donor in donors {
      let possible = featuresByImportance.compactMap { feature -> Change? in
        let (old, new) = (asked.row[feature], reference[donor, feature])
        let differs = old != new && !(old.isNaN && new.isNaN)
        return differs && asked.limits.allows(feature: feature, from: old, to: new)
          ? Change(feature: feature, from: old, to: new) : nil
      }
      guard !possible.isEmpty else { continue }
      guard let changes = try towards(asked, possible) else { continue }
      try accept(asked, try reduce(asked, changes), .donorRow, into: &found)
      if found.count >= asked.count { return }
    }
  }

  /// The reference rows of which the black box says what is wanted.
  private func rows(of wanted: WantedOutcome) -> [Int] {
    switch wanted {
    case .outcome(let outcome): rowsByOutcome[outcome]
    case .range:
      (0..<reference.rowCount).filter {
        wanted.isMet(by: referenceOutputs.row($0).values.map { Double($0) }, outcomes)
      }
    }
  }

  /// The changes towards a donor that flip the black box, as few as steps find; all of them where only all do.
  private func towards(_ asked: Asked, _ possible: [Change]) throws -> [Change]? {
    let narrow = Array(possible.prefix(Self.donorFeatures))
    var changes: [Change] = []
    while changes.count < min(2 * Self.mostSteps, narrow.count, asked.limits.maximumChanges ?? .max) {
      let taken = Set(changes.map(\.feature))
      let proposals = narrow.filter { !taken.contains($0.feature) }.map { changes + [$0] }
      let answers = try outputs(asked, proposals)
      let nearnesses = answers.map { asked.wanted.nearness(of: $0, outcomes) }
      guard let best = proposals.indices.max(by: { nearnesses[$0] < nearnesses[$1] }) else { break }
      changes = proposals[best]
      if asked.wanted.isMet(by: answers[best], outcomes) { return changes }
    }
    guard asked.permits(possible) || asked.limits.maximumChanges == nil, try check(asked, [possible])[0]
    else {
      return nil
    }
    return possible.count > 64 ? try halved(asked, possible) : possible
  }

  /// Takes back whole stretches of changes, so that few are left to try one by one.
  private func halved(_ asked: Asked, _ changes: [Change]) throws -> [Change] {
    var kept = changes
    var stretch = kept.count / 2
    while stretch >= max(1, kept.count / 64) {
      var start = 0
      while start < kept.count {
        var shorter = kept
        shorter.removeSubrange(start..<min(start + stretch, kept.count))
        if !shorter.isEmpty, try check(asked, [shorter])[0] { kept = shorter } else { start += stretch }
      }
      stretch /= 2
    }
    return kept
  }
}
