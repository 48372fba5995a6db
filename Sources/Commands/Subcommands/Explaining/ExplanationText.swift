// How explanations look on a terminal.

import Files
import Tables
import TabularExplainer

/// Lines for people, from an explainer and its explanations.
struct ExplanationText {
  let explainer: Explainer
  private static let width = 12

  /// Texts below one another, a label before the first.
  static func lines(_ label: String, _ texts: [String]) -> [String] {
    texts.enumerated().map { ($0 == 0 ? label : "").padded(to: width) + $1 }
  }

  private func lines(_ label: String, _ texts: [String]) -> [String] { Self.lines(label, texts) }

  private func percent(_ share: Double) -> String { (100 * share).text(decimals: share < 0.1 ? 1 : 0) + " %" }

  private func estimate(_ named: NamedEstimate) -> String { Self.estimate(named) }

  private static func estimate(_ named: NamedEstimate) -> String {
    named.name.split(separator: "_").joined(separator: " ") + " " + valueAndInterval(named.estimate)
  }

  static func valueAndInterval(_ estimate: Estimate) -> String {
    let (value, interval) = (estimate.value, estimate.interval)
    guard !value.isNaN else { return "undefined" }
    // Nobody reads the decimals of a million.
    func text(_ number: Double) -> String {
      abs(number) < 1e5 ? number.text(decimals: 3) : number.text(significant: 3)
    }
    return "\(text(value)) (\(text(interval.low))–\(text(interval.high)))"
  }

  /// Measures with their intervals, three a line.
  static func estimateLines(_ measures: [NamedEstimate]) -> [String] {
    stride(from: 0, to: measures.count, by: 3).map { start in
      measures[start..<min(start + 3, measures.count)].map(estimate).joined(separator: ", ")
    }
  }

  /// The table: rows, features, classes, and what a reader should know of it.
  static func tableLines(_ read: ReadTable) -> [String] {
    let classes: String =
      if case .classes(_, let names) = read.table.target { "\(names.count) classes" } else { "a quantity" }
    return lines(
      "table",
      [
        "\(read.name): \(ReadingText.count(read.table.rowCount, "row")) × "
          + "\(ReadingText.count(read.table.features.count, "feature")), "
          + "target '\(read.table.targetName)' (\(classes))"
      ] + read.notes)
  }

  /// The black box's quality and the surrogate's fidelity, once a run.
  func modelLines(_ measures: RunMeasures) -> [String] {
    let split = explainer.split
    let fitted =
      explainer.table.targetIsPredicted
      ? "given; without a target its quality cannot be measured"
      : explainer.probed.outputSource == .given
        ? "given; measured on \(split.held.count) rows, of which it is not known whether it was fitted to them"
        : explainer.probed.outputSource == .fitted
          ? "fitted to all rows of the file but those held out, measured on \(split.held.count) of these"
          : "fitted to \(split.training.count) rows, measured on \(split.held.count) held out"
    var result = lines(
      "black box", ["\(explainer.probed.name), \(fitted)"] + Self.estimateLines(measures.quality))
    for warning in warnings(measures) { result += lines("", [warning]) }
    let names = explainer.choice.features.prefix(8).map { explainer.catalogue.names[$0] }.joined(
      separator: ", ")
    let more = explainer.choice.features.count > 8 ? ", …" : ""
    let count = explainer.choice.features.count
    result += lines("features", ["\(count) kept of \(explainer.catalogue.names.count): \(names)\(more)"])
    result += lines(
      "surrogate", [form(explainer.choice.surrogate)] + Self.estimateLines(measures.fidelity))
    if explainer.choice.surrogate.kind == .treeSum {
      result += lines(
        "",
        [
          "rules are read from a " + form(explainer.choice.tree)
        ] + Self.estimateLines(measures.treeFidelity))
    }
    return result + removalLines(measures.removal) + stabilityLines(measures.stability)
  }

  /// What a reader must know before the black box's word is taken for anything.
  func warnings(_ measures: RunMeasures) -> [String] {
    var warnings: [String] = []
    if let usual = measures.usualClass {
      warnings.append(
        (usual.isReached ? "not clearly better" : "no better")
          + " than always naming '\(usual.name)': accuracy \(usual.share.text(decimals: 3))")
    }
    if measures.isNoBetterThanTheMean {
      warnings.append("no better than always saying the mean: what it says is explained, not what is so")
    }
    if let better = measures.betterOrder {
      warnings.append(
        "with the outputs in another order the accuracy would be \(better.accuracy.text(decimals: 3)): "
          + "--classes " + better.names.joined(separator: ","))
    }
    for lone in measures.loneFeatures {
      warnings.append(
        "'\(explainer.catalogue.names[lone.feature])' alone reaches \(lone.measure) \(lone.value.text(decimals: 3)): "
          + "is it known beforehand?")
    }
    return warnings
  }

  /// What the prediction loses without the kept features, and with only these.
  private func removalLines(_ removal: [NamedEstimate]) -> [String] {
    let ways: [(Removal, String)] = [
      (.mean, "by means"), (.marginal, "by cells of other rows"), (.donor, "by one other row's cells"),
    ]
    let rows = ways.compactMap { way, words -> (words: String, lost: String, kept: String)? in
      func found(_ name: String) -> Estimate? {
        removal.first { $0.name == "\(name)_\(way.rawValue)" }?.estimate
      }
      guard let lost = found("comprehensiveness"), let kept = found("sufficiency") else { return nil }
      return (words, Self.valueAndInterval(lost), Self.valueAndInterval(kept))
    }
    guard !rows.isEmpty else { return [] }
    let width = max(28, (rows.map(\.lost.count).max() ?? 0) + 2)
    let texts = rows.map { $0.words.padded(to: 26) + $0.lost.padded(to: width) + $0.kept }
    let fall =
      if case .classes = explainer.outcomes { "the probability falls without" } else {
        "the quantity moves without"
      }
    return lines(
      "needed", ["replaced".padded(to: 26) + "\(fall) the kept features / with only these"] + texts)
  }

  private func stabilityLines(_ stability: Stability?) -> [String] {
    guard let stability else { return [] }
    func range(_ values: [Double]) -> String {
      let found = Stability.estimate(values)
      return
        "\(found.value.text(decimals: 2)) (\(found.interval.low.text(decimals: 2))–\(found.interval.high.text(decimals: 2)))"
    }
    let count = explainer.choice.features.count
    let isGiven = explainer.probed.refit == nil
    var texts = [
      ReadingText.count(stability.refits, isGiven ? "surrogate" : "refit") + " to redrawn rows: "
        + (count == 1
          ? "the top feature stays the same in \(range(stability.keptOverlap))"
          : "the top \(count) features overlap by \(range(stability.keptOverlap)) (Jaccard)")
    ]
    if !stability.ruleAgreement.isEmpty {
      texts.append("rules say the same of \(range(stability.ruleAgreement)) of held-out rows")
    }
    if !stability.contributionSpread.isNaN {
      texts.append(
        "contributions differ between refits by \(percent(stability.contributionSpread)) of their size (standard deviation)"
      )
    }
    let unsure = zip(explainer.choice.features, stability.timesKept).filter { $1 * 5 < stability.refits * 4 }
    if !unsure.isEmpty {
      let names = unsure.prefix(6).map { "\(explainer.catalogue.names[$0]) (\($1) of \(stability.refits))" }
      texts.append(
        "not always among the top: " + names.joined(separator: ", ") + (unsure.count > 6 ? ", …" : ""))
    }
    return lines("stability", texts)
  }

  /// The counterfactuals of a run, taken together.
  func counterfactualLines(_ found: CounterfactualMeasures) -> [String] {
    guard found.count > 0 else { return [] }
    let answered = found.rows == 1 ? "" : " for \(found.rowsAnswered) of \(found.rows) rows"
    return lines(
      "checked",
      [
        "\(found.count) counterfactual\(found.count == 1 ? "" : "s")\(answered): valid \(percent(found.validity)), "
          + "changes \(found.meanChanges.text(decimals: 2)), MAD-L1 \(found.meanDistance.text(decimals: 2)), "
          + "nearest training row \(found.meanDistanceToNearestRow.text(decimals: 2))"
      ])
  }

  private func form(_ surrogate: Surrogate) -> String {
    let complexity = surrogate.complexity
    return switch surrogate.kind {
    case .tree: "tree of \(complexity.rules) leaves"
    case .ruleList: "list of \(complexity.rules) rules"
    case .ruleSets: "sets of \(complexity.rules) rules, \(complexity.conditions) conditions"
    case .treeSum: "sum of \(complexity.trees) small trees"
    }
  }

  /// One row's explanation.
  func lines(_ explanation: RowExplanation, _ stability: Stability? = nil) -> [String] {
    let isGiven = explainer.probed.outputSource == .given
    var result = [
      "row \(explanation.row + 1)"
        + (explanation.isHeldOut
          ? ", held out" : isGiven ? ", among the rows the surrogate is fitted to" : ", a training row")
    ]
    result += lines("  predicted", [prediction(explanation)])
    let stated = explainer.outcomes.outcome(explanation.surrogatePrediction)
    if stated != explanation.outcome {
      result += lines(
        "",
        ["the surrogate says \(explainer.outcomes.name(stated)) here: its own rules do not explain this row"])
    }
    if let stability, let others = stability.otherOutcomes[explanation.row], others > 0 {
      result += lines(
        "",
        [
          "\(others) of \(stability.refits) refits to redrawn rows \(others == 1 ? "says" : "say") otherwise of this row"
        ])
    }
    let rule = explanation.anchor
    let because =
      rule.box.conditions.isEmpty
      ? "of no condition: the black box says so of nearly every row"
      : explainer.catalogue.text(rule.box, most: FeatureCatalogue.shortList)
    result += lines("  because", [because, quality(rule)])
    if !explanation.anchorIsSufficient {
      result += lines(
        "",
        [
          "no rule is sure to reach precision \(explainer.options.anchorPrecision) on the training rows; "
            + "this one has \(rule.training.precision.text(decimals: 2)) on \(rule.training.covered) of them"
        ])
    }
    let wanted = wantedText(explanation.wanted)
    if !explainer.probed.answersNewRows {
      result += lines(
        "  instead", ["the table holds predictions for its own rows only: no change can be tried"])
    } else if explanation.wanted.isMet(by: explanation.prediction, explainer.outcomes) {
      result += lines("  instead", ["the black box says \(wanted) of the row as it is: no change is needed"])
    } else if explanation.counterfactuals.isEmpty {
      result += lines("  instead", ["no allowed change was found that makes it \(wanted)"])
    } else {
      let texts = explanation.counterfactuals.enumerated().map { index, found in
        "  \(index + 1). \(changes(found)): \(probability(found.prediction, explanation.wanted))"
          + (found.isUnlikeReference ? ", unlike any training row" : "")
          + (found.method == .donorRow ? ", from a donor row" : "")
      }
      result += lines("  instead", ["\(wanted), had"] + texts)
    }
    if let contributions = explanation.contributions {
      result += lines("  moved by", contributionLines(contributions, explanation))
    }
    return result
  }

  private func prediction(_ explanation: RowExplanation) -> String {
    switch explainer.outcomes {
    case .classes(let names):
      let p =
        explanation.prediction.indices.contains(explanation.outcome)
        ? explanation.prediction[explanation.outcome] : .nan
      let surrogate = explanation.surrogatePrediction[explanation.outcome]
      return "\(names[explanation.outcome]), probability \(p.text(decimals: 3))"
        + " (surrogate \(surrogate.text(decimals: 3)))"
    case .bands:
      return "\(explanation.prediction[0].text(significant: 5)), \(outcomes(explanation.outcome))"
        + " (surrogate \(explanation.surrogatePrediction[0].text(significant: 5)))"
    }
  }

  private func outcomes(_ outcome: Int) -> String { explainer.outcomes.name(outcome) }

  private func wantedText(_ wanted: WantedOutcome) -> String {
    switch wanted {
    case .outcome(let outcome): outcomes(outcome)
    case .range(let range):
      switch (range.lowerBound.isFinite, range.upperBound.isFinite) {
      case (true, true): "\(plainText(range.lowerBound)) to \(plainText(range.upperBound))"
      case (true, false): "at least \(plainText(range.lowerBound))"
      case (false, true): "at most \(plainText(range.upperBound))"
      case (false, false): "anything"
      }
    }
  }

  /// Coverage, precision and bounds on held-out rows.
  private func quality(_ rule: VerifiedRule) -> String {
    let held = rule.held
    guard held.covered > 0 else { return "covers no held-out row" }
    let bounds = held.precisionBounds
    return
      "covers \(percent(held.coverage)) of held-out rows (\(held.covered) of \(held.rows)); there the black box "
      + "says so in \(percent(held.precision)) (\(percent(bounds.low))–\(percent(bounds.high))), "
      + "lift \(held.lift.text(decimals: 2))"
  }

  private func changes(_ found: Counterfactual) -> String {
    let shown = found.changes.count > 5 ? 3 : found.changes.count
    let texts = found.changes.prefix(shown).map { change in
      let names = explainer.catalogue
      return "\(names.names[change.feature]) been \(names.text(change.to, of: change.feature))"
        + " (not \(names.shortText(change.from, of: change.feature)))"
    }
    let more = found.changes.count - shown
    return texts.joined(separator: " and ")
      + (more > 0 ? " and \(ReadingText.count(more, "further change"))" : "")
  }

  private func probability(_ prediction: [Double], _ wanted: WantedOutcome) -> String {
    if case .classes = explainer.outcomes, case .outcome(let outcome) = wanted {
      return "probability \(prediction[outcome].text(decimals: 2))"
    }
    return prediction[0].text(significant: 5)
  }

  private func contributionLines(_ contributions: Contributions, _ explanation: RowExplanation) -> [String] {
    let output = contributions.baseline.count > 1 ? explanation.outcome : 0
    let largest = Array(contributions.largest(output: output).prefix(6))
    let cells = largest.map { item in
      explainer.catalogue.names[item.feature] + " = "
        + explainer.catalogue.shortText(
          explainer.table.features[explanation.row, item.feature], of: item.feature)
    }
    let width = cells.map(\.count).max() ?? 0
    let most = largest.map { abs($0.value) }.max() ?? 1
    var lines = zip(cells, largest).map { cell, item in
      let sign = item.value < 0 ? "−" : "+"
      let bar = String(
        repeating: item.value < 0 ? "░" : "█", count: max(1, Int((12 * abs(item.value) / most).rounded())))
      return "\(cell.padded(to: width))  \(sign)\(abs(item.value).text(decimals: 3))  \(bar)"
    }
    let rest =
      contributions.values.reduce(0) { $0 + $1[output] } - largest.reduce(0) { $0 + $1.value }
      + contributions.remainder[output]
    lines.append("\("all others".padded(to: width))  \(rest < 0 ? "−" : "+")\(abs(rest).text(decimals: 3))")
    let start = contributions.baseline[output]
    let end = contributions.values.reduce(start + contributions.remainder[output]) { $0 + $1[output] }
    let base = contributions.onPredictionScale(output: output, prediction: explanation.prediction).baseline
    func number(_ value: Double) -> String {
      (value < 0 ? "−" : "")
        + (abs(value) < 1e4 ? abs(value).text(decimals: 3) : abs(value).text(significant: 6))
    }
    switch contributions.unit {
    case .probability, .target:
      lines.append(
        "from \(number(start)), where nothing is known of the row, to \(number(end)); in "
          + (contributions.unit == .probability ? "probability" : "units of \(explainer.table.targetName)"))
    case .logOdds, .log, .squareRoot, .logProbability, .score:
      let own = explanation.prediction.indices.contains(output) ? explanation.prediction[output] : .nan
      let what =
        contributions.unit == .log || contributions.unit == .squareRoot
        ? explainer.table.targetName : "probability"
      lines.append(
        "from \(number(start)), where nothing is known of the row, to \(number(end)); in \(unitText(contributions.unit))"
      )
      lines.append("as \(what): from \(number(base)) to \(number(own))")
    }
    return lines
  }

  private func unitText(_ unit: Contributions.Unit) -> String {
    switch unit {
    case .logOdds: "log-odds"
    case .squareRoot: "square roots of \(explainer.table.targetName)"
    case .log: "logarithms of \(explainer.table.targetName)"
    case .logProbability: "scores whose softmax is the probability"
    case .score: "scores, of which the sign decides"
    case .probability: "probability"
    case .target: "units of \(explainer.table.targetName)"
    }
  }

  /// The global rules, by outcome.
  func ruleLines(_ rules: [VerifiedRule], limit: Int) -> [String] {
    var result: [String] = []
    for outcome in 0..<explainer.outcomes.count {
      let own = rules.filter { $0.outcome == outcome }
      guard !own.isEmpty else { continue }
      result.append(outcomes(outcome))
      for rule in own.prefix(limit) {
        result.append(
          rule.box.conditions.isEmpty
            ? "  always" : "  if " + explainer.catalogue.text(rule.box, most: FeatureCatalogue.shortList))
        result.append("     " + quality(rule))
      }
      if own.count > limit { result.append("  and \(own.count - limit) more") }
    }
    return result
  }
}
