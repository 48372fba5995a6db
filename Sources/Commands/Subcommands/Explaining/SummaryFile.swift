// summary.json: what was explained, how, and how far it can be trusted.

import Files
import TabularExplainer
import Tables

extension ExplanationFiles {
  /// `summary.json`: the run's settings and every measure with its interval.
  func writeSummary(_ read: ReadTable, measures: RunMeasures, command: String) throws(FileError) {
    let table = read.table
    let probed = explainer.probed
    var members = [
      JSONMember("schema_version", .integer(1)),
      JSONMember("headlamp_version", .string(headlampVersion)),
      JSONMember("command", .string(command)),
      JSONMember("seed", .string("\(explainer.options.seed)")),
      JSONMember(
        "table",
        .object([
          JSONMember("name", .string(read.name)), JSONMember("rows", .integer(table.rowCount)),
          JSONMember("features", .integer(table.features.count)),
          JSONMember("target", .string(table.targetName)),
          JSONMember(
            "outcomes", .array((0..<explainer.outcomes.count).map { .string(explainer.outcomes.name($0)) })),
          JSONMember("duplicate_rows", .integer(table.duplicateRowCount)),
          JSONMember("rows_without_target", .integer(table.rowsWithoutTarget)),
          JSONMember("training_rows", .integer(explainer.split.training.count)),
          JSONMember("held_out_rows", .integer(explainer.split.held.count)),
          JSONMember("notes", .array(read.notes.map { .string($0) })),
        ])),
      JSONMember(
        "black_box",
        .object(
          [
            JSONMember("name", .string(probed.name)),
            JSONMember("training_outputs", .string(probed.outputSource.rawValue)),
            JSONMember("importance", .string(probed.importanceMethod)),
          ] + estimates(measures.quality)
            + (explainer.usualClass().map { [JSONMember("usual_class_accuracy", .number($0.share))] } ?? []))),
      JSONMember(
        "surrogate",
        .object(
          [
            JSONMember("form", .string(explainer.choice.surrogate.kind.rawValue)),
            JSONMember("features", .integer(explainer.choice.features.count)),
            JSONMember("rules", .integer(explainer.choice.surrogate.complexity.rules)),
            JSONMember("conditions", .integer(explainer.choice.surrogate.complexity.conditions)),
            JSONMember("trees", .integer(explainer.choice.surrogate.complexity.trees)),
          ] + estimates(measures.fidelity))),
      JSONMember(
        "rule_tree",
        .object(
          [
            JSONMember("leaves", .integer(explainer.choice.tree.complexity.rules)),
            JSONMember("conditions", .integer(explainer.choice.tree.complexity.conditions)),
          ]
            + estimates(measures.treeFidelity))),
    ]
    members.append(
      JSONMember(
        "warnings",
        .array(ExplanationText(explainer: explainer).warnings(measures).map { .string($0) })))
    if !measures.removal.isEmpty {
      members.append(JSONMember("removal", .object(estimates(measures.removal))))
    }
    if let stability = measures.stability {
      members.append(
        JSONMember(
          "stability",
          .object([
            JSONMember("refits", .integer(stability.refits)),
            JSONMember("top_k_jaccard", estimate(Stability.estimate(stability.keptOverlap))),
            JSONMember("rule_agreement", estimate(Stability.estimate(stability.ruleAgreement))),
            JSONMember(
              "contribution_spread",
              stability.contributionSpread.isNaN ? .null : .number(stability.contributionSpread)),
            JSONMember(
              "times_kept",
              .object(
                zip(explainer.choice.features, stability.timesKept).map {
                  JSONMember(explainer.catalogue.names[$0], .integer($1))
                })),
          ])))
    }
    if let found = measures.counterfactuals {
      members.append(
        JSONMember(
          "counterfactuals",
          .object([
            JSONMember("explained_rows", .integer(found.rows)),
            JSONMember("rows_answered", .integer(found.rowsAnswered)),
            JSONMember("count", .integer(found.count)), JSONMember("validity", .number(found.validity)),
            JSONMember("mean_changes", .number(found.meanChanges)),
            JSONMember("mean_mad_l1", .number(found.meanDistance)),
            JSONMember("mean_distance_to_nearest_row", .number(found.meanDistanceToNearestRow)),
          ])))
    }
    try writeFile(JSONValue.object(members).text(), to: folder + "/summary.json")
  }

  private func estimates(_ named: [NamedEstimate]) -> [JSONMember] {
    named.map { JSONMember($0.name, estimate($0.estimate)) }
  }

  private func estimate(_ estimate: Estimate) -> JSONValue {
    .object([
      JSONMember("value", .number(estimate.value)), JSONMember("low", .number(estimate.interval.low)),
      JSONMember("high", .number(estimate.interval.high)),
    ])
  }
}

/// The measures of a run.
struct RunMeasures {
  var quality: [NamedEstimate]
  var fidelity: [NamedEstimate]
  var treeFidelity: [NamedEstimate]
  var removal: [NamedEstimate] = []
  var stability: Stability?
  /// Whether always saying the mean would do as well.
  var isNoBetterThanTheMean = false
  var counterfactuals: CounterfactualMeasures?
  /// The most frequent class of the training rows and its share of the held-out ones, where the black box is not
  /// clearly better than naming it always.
  /// Whether its accuracy is above that share all the same, within its interval.
  var usualClass: (name: String, share: Double, isReached: Bool)?
  /// Features that alone reach nearly the black box's quality.
  var loneFeatures: [LoneFeature] = []

  /// The order of a given model's outputs in which it would be right far more often, and how often.
  var betterOrder: (names: [String], accuracy: Double)?

  init(_ explainer: Explainer) throws {
    quality = explainer.table.targetIsPredicted ? [] : explainer.blackBoxQuality()
    betterOrder = explainer.betterClassOrder()
    isNoBetterThanTheMean = explainer.isNoBetterThanTheMean(quality)
    loneFeatures = try explainer.loneFeatures(quality)
    if let usual = explainer.usualClass(), let accuracy = quality.first(where: { $0.name == "accuracy" }),
      accuracy.estimate.interval.low <= usual.share
    {
      usualClass = (usual.name, usual.share, accuracy.estimate.value > usual.share)
    }
    fidelity = try explainer.fidelity(of: explainer.choice.surrogate)
    treeFidelity =
      explainer.choice.surrogate == explainer.choice.tree
      ? fidelity : try explainer.fidelity(of: explainer.choice.tree)
  }
}
