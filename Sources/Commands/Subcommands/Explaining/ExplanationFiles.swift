// What explain, fit, importance and rules leave in a folder.

import Files
import Reports
import Tables
import TabularExplainer
import Trees

/// Files made from an explainer and its explanations. Each is written whole or not at all.
struct ExplanationFiles {
  let explainer: Explainer
  let folder: String

  /// Files in a folder that has been claimed.
  init(_ explainer: Explainer, folder: String) {
    self.explainer = explainer
    self.folder = folder
  }

  /// `importance.csv`: every feature with its importance, the most important first.
  func writeImportance() throws(FileError) {
    try ImportanceText(explainer).document.write(to: folder + "/importance.csv")
  }

  private static let qualityHeader = [
    "held_out_rows", "covered", "coverage", "precision", "precision_low", "precision_high", "lift",
  ]

  private func qualityCells(_ quality: RuleQuality) -> [CSVCell] {
    let bounds = quality.precisionBounds
    return [
      .integer(quality.rows), .integer(quality.covered), .number(quality.coverage),
      .number(quality.precision),
      .number(bounds.low), .number(bounds.high), .number(quality.lift),
    ]
  }

  /// `rules.csv`: the global rules with their quality on training and held-out rows.
  func write(rules: [VerifiedRule]) throws(FileError) {
    var document = CSVDocument(
      header: ["outcome", "rule", "conditions"] + Self.qualityHeader + [
        "training_covered", "training_precision", "conditions_json",
      ])
    for rule in rules {
      document.append(
        [
          .text(explainer.outcomes.name(rule.outcome)), .text(explainer.catalogue.text(rule.box)),
          .integer(rule.box.conditions.count),
        ] + qualityCells(rule.held) + [
          .integer(rule.training.covered), .number(rule.training.precision),
          .text(explainer.catalogue.data(rule.box).line),
        ])
    }
    try document.write(to: folder + "/rules.csv")
  }

  private static let contributionCount = 10

  /// `explanations.csv`: a line per explained row; its rule and its largest contributions.
  func write(explanations: [RowExplanation]) throws(FileError) {
    let contributionHeader = (1...Self.contributionCount).flatMap { ["feature_\($0)", "contribution_\($0)"] }
    var document = CSVDocument(
      header: ["row", "held_out", "outcome", "prediction", "surrogate_prediction", "rule"]
        + Self.qualityHeader
        + ["rule_is_sufficient", "surrogate_rule", "contribution_method", "baseline"] + contributionHeader
        + ["contribution_unit", "prediction_baseline"]
        + (1...Self.contributionCount).map { "prediction_contribution_\($0)" }
        + ["contribution_rest", "rule_json"])
    for explanation in explanations {
      let output = explanation.prediction.count > 1 ? explanation.outcome : 0
      var cells: [CSVCell] = [
        .integer(explanation.row + 1), .boolean(explanation.isHeldOut),
        .text(explainer.outcomes.name(explanation.outcome)), .number(explanation.prediction[output]),
        .number(explanation.surrogatePrediction[output]),
        .text(explainer.catalogue.text(explanation.anchor.box)),
      ]
      cells += qualityCells(explanation.anchor.held)
      cells.append(.boolean(explanation.anchorIsSufficient))
      cells.append(explanation.surrogateRule.map { .text(explainer.catalogue.text($0.box)) } ?? .empty)
      cells.append(explanation.contributions.map { .text($0.method.rawValue) } ?? .empty)
      cells.append(explanation.contributions.map { .number($0.baseline[output]) } ?? .empty)
      let largest = explanation.contributions?.largest(output: output) ?? []
      for place in 0..<Self.contributionCount {
        if largest.indices.contains(place) {
          cells += [.text(explainer.catalogue.names[largest[place].feature]), .number(largest[place].value)]
        } else {
          cells += [.empty, .empty]
        }
      }
      // The same contributions in the unit of the prediction, beside their own.
      let scaled = explanation.contributions?.onPredictionScale(
        output: output, prediction: explanation.prediction)
      cells.append(explanation.contributions.map { .text($0.unit.rawValue) } ?? .empty)
      cells.append(scaled.map { .number($0.baseline) } ?? .empty)
      let places = Dictionary(
        (explanation.contributions?.features ?? []).enumerated().map { ($1, $0) },
        uniquingKeysWith: { first, _ in first })
      for place in 0..<Self.contributionCount {
        if largest.indices.contains(place), let own = places[largest[place].feature], let scaled {
          cells.append(.number(scaled.values[own]))
        } else {
          cells.append(.empty)
        }
      }
      // What all other features contribute, and what a surrogate's contributions leave over.
      let rest = largest.dropFirst(Self.contributionCount).reduce(0) { $0 + $1.value }
      cells.append(explanation.contributions.map { .number(rest + $0.remainder[output]) } ?? .empty)
      cells.append(.text(explainer.catalogue.data(explanation.anchor.box).line))
      document.append(cells)
    }
    try document.write(to: folder + "/explanations.csv")
  }

  /// `counterfactuals.csv`: a line per changed cell.
  func write(counterfactuals explanations: [RowExplanation]) throws(FileError) {
    var document = CSVDocument(header: [
      "row", "counterfactual", "feature", "from", "to", "outcome", "prediction", "changes", "mad_l1",
      "distance_to_nearest_row", "unlike_training_rows", "method",
    ])
    for explanation in explanations {
      for (number, found) in explanation.counterfactuals.enumerated() {
        let output = found.prediction.count > 1 ? found.outcome : 0
        for change in found.changes {
          document.append([
            .integer(explanation.row + 1), .integer(number + 1),
            .text(explainer.catalogue.names[change.feature]),
            .text(explainer.catalogue.text(change.from, of: change.feature)),
            .text(explainer.catalogue.text(change.to, of: change.feature)),
            .text(explainer.outcomes.name(found.outcome)), .number(found.prediction[output]),
            .integer(found.changes.count), .number(found.distance), .number(found.distanceToNearestRow),
            .boolean(found.isUnlikeReference), .text(found.method.rawValue),
          ])
        }
      }
    }
    try document.write(to: folder + "/counterfactuals.csv")
  }

  /// `surrogate.json`: the surrogate, its rules in words, and the curves that chose it.
  func writeSurrogate() throws(FileError) {
    let choice = explainer.choice
    let names = explainer.catalogue.names
    var members = [
      JSONMember("schema_version", .integer(1)),
      JSONMember("form", .string(choice.surrogate.kind.rawValue)),
      JSONMember("features", .array(choice.features.map { .string(names[$0]) })),
      JSONMember("outputs", .array(choice.surrogate.outputNames.map { .string($0) })),
      JSONMember("seed", .string("\(explainer.options.seed)")),
      JSONMember("complexity", complexity(choice.surrogate)),
      JSONMember("model", model(choice.surrogate)),
    ]
    if choice.surrogate.kind == .treeSum { members.append(JSONMember("rule_tree", model(choice.tree))) }
    members.append(JSONMember("fidelity_by_features", .array(choice.featureCurve.map(point))))
    members.append(JSONMember("fidelity_by_size", .array(choice.sizeCurve.map(point))))
    try writeFile(JSONValue.object(members).text(), to: folder + "/surrogate.json")
  }

  private func complexity(_ surrogate: Surrogate) -> JSONValue {
    let complexity = surrogate.complexity
    return .object([
      JSONMember("rules", .integer(complexity.rules)),
      JSONMember("conditions", .integer(complexity.conditions)),
      JSONMember("trees", .integer(complexity.trees)),
    ])
  }

  private func point(_ point: FidelityPoint) -> JSONValue {
    .object([
      JSONMember("form", .string(point.plan.kind.rawValue)), JSONMember("size", .integer(point.plan.size)),
      JSONMember("features", .integer(point.features)), JSONMember("r2", .number(point.determination)),
      JSONMember("standard_error", .number(point.standardError)),
      JSONMember("label_agreement", point.labelAgreement.map { .number($0) } ?? .null),
    ])
  }

  private func rule(_ rule: Rule) -> JSONValue {
    .object([
      JSONMember("if", .string(explainer.catalogue.text(rule.box))),
      JSONMember("conditions", explainer.catalogue.data(rule.box)),
      JSONMember("then", .array(rule.prediction.map { .number($0) })),
    ])
  }

  private func model(_ surrogate: Surrogate) -> JSONValue {
    switch surrogate.model {
    case .trees(let ensemble):
      let trees = ensemble.trees.map { tree in
        JSONValue.array(surrogate.leafRules(of: tree).map(rule))
      }
      return .object([
        JSONMember("base", .array(ensemble.baseScores.map { .number($0) })),
        JSONMember("trees", .array(trees)),
      ])
    case .list(let rules, let otherwise):
      return .object([
        JSONMember("rules", .array(rules.map(rule))),
        JSONMember("otherwise", .array(otherwise.map { .number($0) })),
      ])
    case .sets(let sets, let otherwise):
      return .object([
        JSONMember("sets", .array(sets.map { .array($0.map(rule)) })),
        JSONMember("otherwise", .array(otherwise.map { .number($0) })),
      ])
    }
  }
}
