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
    return "\(value.text(decimals: 3)) "
      + "(\(interval.low.text(decimals: 3))–\(interval.high.text(decimals: 3)))"
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
        "\(read.name): \(read.table.rowCount) rows × \(read.table.features.count) features, "
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
      : "fitted to \(split.training.count) rows, measured on \(split.held.count) held out"
    var result = lines(
      "black box", ["\(explainer.probed.name), \(fitted)"] + Self.estimateLines(measures.quality))
    if let usual = measures.usualClass {
      result += lines(
        "", ["no better than always naming '\(usual.name)': accuracy \(usual.share.text(decimals: 3))"])
    }
    if let better = measures.betterOrder {
      result += lines(
        "",
        [
          "with the outputs in another order the accuracy would be \(better.accuracy.text(decimals: 3)): "
            + "--classes " + better.names.joined(separator: ",")
        ])
    }
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

  /// What the prediction loses without the kept features, and with only these.
  private func removalLines(_ removal: [NamedEstimate]) -> [String] {
    let ways: [(Removal, String)] = [
      (.mean, "by means"), (.marginal, "by cells of other rows"), (.donor, "by one other row's cells"),
    ]
    let texts = ways.compactMap { way, words -> String? in
      func found(_ name: String) -> Estimate? {
        removal.first { $0.name == "\(name)_\(way.rawValue)" }?.estimate
      }
      guard let lost = found("comprehensiveness"), let kept = found("sufficiency") else { return nil }
      return
        "\(words.padded(to: 26))\(Self.valueAndInterval(lost).padded(to: 28))\(Self.valueAndInterval(kept))"
    }
    guard !texts.isEmpty else { return [] }
    let fall =
      if case .classes = explainer.outcomes { "the probability falls without" } else {
        "the quantity moves without"
      }
    return lines(
      "needed", ["replaced".padded(to: 26) + "\(fall) the kept features / with only these"] + texts)
  }

  private func stabilityLines(_ stability: Estimate?) -> [String] {
    guard let stability else { return [] }
    return lines(
      "stability",
      [
        "top \(explainer.choice.features.count) features, Jaccard over bootstraps \(Self.valueAndInterval(stability))"
      ])
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
  func lines(_ explanation: RowExplanation) -> [String] {
    let outcomes = explainer.outcomes
    var result = ["row \(explanation.row + 1)" + (explanation.isHeldOut ? ", held out" : ", a training row")]
    result += lines("  predicted", [prediction(explanation)])
    let stated = explainer.outcomes.outcome(explanation.surrogatePrediction)
    if stated != explanation.outcome {
      result += lines(
        "",
        ["the surrogate says \(explainer.outcomes.name(stated)) here: its own rules do not explain this row"])
    }
    let rule = explanation.anchor
    result += lines("  because", [explainer.catalogue.text(rule.box), quality(rule)])
    if !explanation.anchorIsSufficient {
      result += lines(
        "",
        [
          "no rule is sure to reach precision \(explainer.options.anchorPrecision) on the training rows; "
            + "this one has \(rule.training.precision.text(decimals: 2)) on \(rule.training.covered) of them"
        ])
    }
    let wanted = outcomes.name(explanation.wanted)
    if !explainer.probed.answersNewRows {
      result += lines(
        "  instead", ["the table holds predictions for its own rows only: no change can be tried"])
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
        + " (not \(names.text(change.from, of: change.feature)))"
    }
    let more = found.changes.count - shown
    return texts.joined(separator: " and ") + (more > 0 ? " and \(more) further changes" : "")
  }

  private func probability(_ prediction: [Double], _ outcome: Int) -> String {
    if case .classes = explainer.outcomes { return "probability \(prediction[outcome].text(decimals: 2))" }
    return prediction[0].text(significant: 5)
  }

  private func contributionLines(_ contributions: Contributions, _ explanation: RowExplanation) -> [String] {
    let output = contributions.baseline.count > 1 ? explanation.outcome : 0
    let largest = Array(contributions.largest(output: output).prefix(6))
    let cells = largest.map { item in
      explainer.catalogue.names[item.feature] + " = "
        + explainer.catalogue.text(explainer.table.features[explanation.row, item.feature], of: item.feature)
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
    lines.append(
      "from \(contributions.baseline[output].text(decimals: 3)), where nothing is known of the row")
    return lines
  }

  /// The global rules, by outcome.
  func ruleLines(_ rules: [VerifiedRule], limit: Int) -> [String] {
    var result: [String] = []
    for outcome in 0..<explainer.outcomes.count {
      let own = rules.filter { $0.outcome == outcome }
      guard !own.isEmpty else { continue }
      result.append(outcomes(outcome))
      for rule in own.prefix(limit) {
        result.append("  if " + explainer.catalogue.text(rule.box))
        result.append("     " + quality(rule))
      }
      if own.count > limit { result.append("  and \(own.count - limit) more") }
    }
    return result
  }
}
