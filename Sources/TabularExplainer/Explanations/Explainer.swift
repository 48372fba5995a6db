// From a probed black box to explanations: surrogate, rules, and one row after another.

import Tables
import Tensors

/// Explains predictions of a black box on the rows of a table.
///
///     let explainer = try Explainer(table, split: split, probed, options: ExplainerOptions(seed: 1))
///     let explanation = try explainer.explanation(row: 3)
public struct Explainer: Sendable {
  /// The table.
  public let table: Table
  /// Which rows the black box was fitted to, and which were held out.
  public let split: Split
  /// The black box and what probing it has shown.
  public let probed: ProbedBlackBox
  /// The surrogate, and the curves that chose it.
  public let choice: SurrogateChoice
  /// What predictions are called.
  public let outcomes: Outcomes
  /// Names and kinds, for texts.
  public let catalogue: FeatureCatalogue
  /// The black box's outputs for the held-out rows, shape `[held-out rows, outputs]`.
  public let heldOutputs: Tensor
  /// The choices behind it.
  public let options: ExplainerOptions
  let trainingRows: Features
  let heldRows: Features
  let trainingOutcomes: [Int]
  let heldOutcomes: [Int]
  private let anchors: AnchorIndex
  private let search: CounterfactualSearch
  private let heldOutcomeRows: [RowSet]

  /// Fits surrogates to a black box and prepares rules and counterfactuals.
  /// - Throws: what the black box throws.
  public init(_ table: Table, split: Split, _ probed: ProbedBlackBox, options: ExplainerOptions) throws {
    precondition(
      probed.trainingOutputs.shape[0] == split.training.count,
      "outputs \(probed.trainingOutputs.shape) for \(split.training.count) training rows")
    self.table = table
    self.split = split
    self.probed = probed
    self.options = options
    let names = probed.blackBox.outputNames
    catalogue = FeatureCatalogue(table.features)
    let outcomes = Outcomes(outputNames: names, trainingOutputs: probed.trainingOutputs)
    self.outcomes = outcomes
    trainingRows = table.features.selecting(rows: split.training)
    heldRows = table.features.selecting(rows: split.held)
    heldOutputs = try probed.blackBox.predict(heldRows)
    trainingOutcomes = outcomes.outcomes(probed.trainingOutputs)
    let heldOutcomes = outcomes.outcomes(heldOutputs)
    self.heldOutcomes = heldOutcomes
    heldOutcomeRows = (0..<outcomes.count).map { outcome in
      RowSet(rowCount: heldOutcomes.count) { heldOutcomes[$0] == outcome }
    }
    let ranking = probed.ranking
    choice = try SurrogateChoice(
      table.features, ranking: ranking, rows: split.training,
      targets: probed.trainingOutputs, outputNames: names, options: options)
    anchors = AnchorIndex(
      trainingRows, using: choice.features, outcomes: trainingOutcomes, outcomeCount: outcomes.count,
      extraCuts: choice.tree.thresholds)
    search = CounterfactualSearch(
      probed.blackBox, outcomes: outcomes, surrogate: choice.tree, reference: trainingRows,
      referenceOutputs: probed.trainingOutputs, featuresByImportance: ranking)
  }

  /// The surrogate's rules, simplified and counted on training and held-out rows; by outcome, the widest first.
  ///
  /// A list's rules are left whole: each one holds only where those above it do not.
  public func rules() -> [VerifiedRule] {
    let source = choice.surrogate.rules.isEmpty ? choice.tree : choice.surrogate
    var seen: Set<String> = []
    let verified = source.rules.compactMap { rule -> VerifiedRule? in
      let outcome = outcomes.outcome(rule.prediction)
      let box =
        source.kind == .ruleList
        ? rule.box : simplified(rule.box, outcome: anchors.rows(of: outcome), in: trainingRows)
      guard seen.insert("\(outcome) \(catalogue.text(box))").inserted else { return nil }
      return self.verified(box, outcome: outcome, prediction: rule.prediction, without: nil)
    }
    return verified.sorted { ($0.outcome, -$0.training.covered) < ($1.outcome, -$1.training.covered) }
  }

  /// The explanation of one row of the table.
  /// - Parameters:
  ///   - wanted: what counterfactuals should reach; nil for the outcome that is most probable after the row's own.
  ///   - limits: what counterfactuals may not change.
  /// - Throws: what the black box throws.
  public func explanation(
    row: Int, wanted: WantedOutcome? = nil, limits: ChangeLimits = ChangeLimits(),
    counterfactuals count: Int = 4
  ) throws -> RowExplanation {
    try explanations(rows: [row], wanted: wanted, limits: limits, counterfactuals: count)[0]
  }

  /// Rows whose predictions and contributions are computed together.
  private static let rowsAtOnce = 256

  /// The explanations of several rows of the table, as of each by itself.
  ///
  /// What rows share is done once: trees are prepared for SHAP values once for hundreds of rows. Where the black box is
  /// made of trees, rows are explained in parallel.
  /// - Parameter progress: called with the number of rows done so far.
  /// - Throws: what the black box throws.
  public func explanations(
    rows: [Int], wanted: WantedOutcome? = nil, limits: ChangeLimits = ChangeLimits(),
    counterfactuals count: Int = 4, progress: (Int) -> Void = { _ in }
  ) throws -> [RowExplanation] {
    let heldPlaces = Dictionary(zip(split.held, 0...), uniquingKeysWith: { first, _ in first })
    let trainingPlaces =
      rows.count == 1
      ? [:] : Dictionary(zip(split.training, 0...), uniquingKeysWith: { first, _ in first })
    var result: [RowExplanation] = []
    for start in stride(from: 0, to: rows.count, by: Self.rowsAtOnce) {
      let block = Array(rows[start..<min(start + Self.rowsAtOnce, rows.count)])
      let part = table.features.selecting(rows: block)
      let changed = try ChangedRows(part, model: probed.blackBox)
      let outputs = try probed.blackBox.predict(part)
      let predictions = block.indices.map { outputs.row($0).values.map { Double($0) } }
      let contributions = try contributions(of: part, predictions: predictions)
      @Sendable func explained(_ place: Int) -> Result<RowExplanation, any Error> {
        let row = block[place]
        let trained =
          rows.count == 1 ? split.training.firstIndex(of: row) : trainingPlaces[row]
        return Result {
          try explanation(
            row: row, place: place, of: changed, current: predictions[place], held: heldPlaces[row],
            trained: trained,
            wanted: wanted, limits: limits, count: count, contributions: contributions[place])
        }
      }
      let found =
        probed.ensemble == nil
        ? block.indices.map(explained) : parallelMap(block.count) { explained($0) }
      for one in found { result.append(try one.get()) }
      progress(result.count)
    }
    return result
  }

  private func explanation(
    row: Int, place: Int, of changed: ChangedRows, current: [Double], held heldPlace: Int?, trained: Int?,
    wanted: WantedOutcome?,
    limits: ChangeLimits, count: Int, contributions: Contributions
  ) throws -> RowExplanation {
    let cells = table.features.row(row)
    let single = table.features.selecting(rows: [row])
    let outcome = outcomes.outcome(current)
    let honest = trained.map { place in probed.trainingOutputs.row(place).values.map { Double($0) } }
    let surrogatePrediction = try choice.surrogate.predict(single).values.map { Double($0) }
    let leaf = choice.tree.rules.first { $0.box.holds { cells[$0] } }
    let wanted = wanted ?? .outcome(nextOutcome(after: outcome, current))
    let (anchor, isSufficient) = anchor(for: cells, outcome: outcome, without: heldPlace)
    return RowExplanation(
      row: row, isHeldOut: heldPlace != nil, prediction: current, honestPrediction: honest, outcome: outcome,
      surrogatePrediction: surrogatePrediction,
      anchor: anchor, anchorIsSufficient: isSufficient,
      surrogateRule: leaf.map {
        verified(
          $0.box, outcome: outcomes.outcome($0.prediction), prediction: $0.prediction, without: heldPlace)
      },
      wanted: wanted,
      counterfactuals: probed.answersNewRows && !wanted.isMet(by: current, outcomes)
        ? try search.counterfactuals(
          for: place, of: changed, wanted: wanted, limits: limits, count: count) : [],
      contributions: contributions)
  }

  /// The shortest rule that is enough for the black box's outcome at a row of the table, searched on the training rows
  /// and counted on the held-out ones.
  /// - Throws: what the black box throws.
  public func anchor(row: Int) throws -> VerifiedRule {
    let cells = table.features.row(row)
    let single = variants(of: cells, in: table.features, changes: [[]])
    let outcome = outcomes.outcome(try probed.blackBox.predict(single).values.map { Double($0) })
    return anchor(for: cells, outcome: outcome, without: split.held.firstIndex(of: row)).rule
  }

  /// Changed rows for which the black box says another outcome, as in `explanation(row:)`.
  /// - Throws: what the black box throws.
  public func counterfactuals(row: Int, limits: ChangeLimits = ChangeLimits(), count: Int = 4) throws
    -> [Counterfactual]
  {
    let cells = table.features.row(row)
    let single = variants(of: cells, in: table.features, changes: [[]])
    let current = try probed.blackBox.predict(single).values.map { Double($0) }
    return try search.counterfactuals(
      for: cells, wanted: nextOutcome(after: outcomes.outcome(current), current), limits: limits, count: count
    )
  }

  private func anchor(
    for cells: [Float], outcome: Int, without place: Int?
  ) -> (rule: VerifiedRule, isSufficient: Bool) {
    let found = anchors.anchor(
      outcome: outcome, limits: AnchorLimits(precision: options.anchorPrecision)
    ) { cells[$0] }
    return (verified(found.box, outcome: outcome, prediction: [], without: place), found.isSufficient)
  }

  /// A rule counted on training rows and on held-out rows, but for the one that is explained.
  private func verified(
    _ box: Box, outcome: Int, prediction: [Double], without place: Int?
  ) -> VerifiedRule {
    var held = RuleQuality(
      covered: RowSet(box, in: heldRows), outcome: heldOutcomeRows[outcome])
    if let place {
      held.rows -= 1
      let agrees = heldOutcomes[place] == outcome
      if agrees { held.outcomeRows -= 1 }
      if box.holds({ heldRows[place, $0] }) {
        held.covered -= 1
        if agrees { held.agreeing -= 1 }
      }
    }
    return VerifiedRule(
      box: box, outcome: outcome, prediction: prediction,
      training: RuleQuality(covered: RowSet(box, in: trainingRows), outcome: anchors.rows(of: outcome)),
      held: held)
  }

  /// The most probable other class; for a quantity the band above, or below the highest.
  private func nextOutcome(after outcome: Int, _ prediction: [Double]) -> Int {
    guard case .classes = outcomes else { return outcome == 2 ? 1 : outcome + 1 }
    let others = prediction.indices.filter { $0 != outcome }
    return others.max { (prediction[$0], -$0) < (prediction[$1], -$1) } ?? outcome
  }
}

extension Surrogate {
  /// The numeric bounds of a surrogate's rules, by feature.
  var thresholds: [Int: [Float]] {
    var bounds: [Int: Set<Float>] = [:]
    for condition in rules.flatMap(\.box.conditions) {
      guard case .range(let above, let atMost) = condition.demand else { continue }
      for bound in [above, atMost] where bound.isFinite {
        bounds[condition.feature, default: []].insert(bound)
      }
    }
    return bounds.mapValues { $0.sorted() }
  }
}
