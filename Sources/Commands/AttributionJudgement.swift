// A ranking by code attribution beside a truth and beside its nulls.

import CausalMethods
import CircuitDiscovery
import Files
import Recordings

/// A ranking beside a truth and beside rankings by dictionaries that nobody trained.
struct Judgement {
  var evaluation: Evaluation?
  var nulls: [NullBaseline]
  /// Spearman's ρ of the ranking, and of each null, with the sizes of the truth's measured effects.
  var effectCorrelation: Double?
  var nullEffectCorrelations: [Double?]
  /// The share of the metric that goes with the trained dictionary's best codes, and with each null's, where one head's
  /// dimensions are taken away; nil where that was not tried or there are no codes.
  var codesLost: Double?
  var nullCodesLost: [Double?]

  /// Whether a null agrees with the truth as well as the ranking does, and its codes carry as much, by every measure
  /// there is.
  var nullDoesAsWell: Bool { nulls.indices.contains { ranksAsWell($0) && carriesAsMuch($0) } }

  /// Whether a null does as well as a ranking of heads, though its codes carry less.
  private var nullRanksAsWell: Int? { nulls.indices.first(where: ranksAsWell) }

  private func ranksAsWell(_ null: Int) -> Bool {
    guard let area = evaluation?.measure(named: "trapezoid_auc")?.mean else { return false }
    return (nulls[null].trapezoidAUC ?? 0) >= area
      && (nullEffectCorrelations[null] ?? 1) >= (effectCorrelation ?? 0)
  }

  private func carriesAsMuch(_ null: Int) -> Bool {
    guard let codesLost, let other = nullCodesLost[null] else { return true }
    return other >= codesLost
  }

  /// What the truth says, then what the nulls do.
  var lines: [String] {
    var lines: [String] = []
    if let evaluation, let area = evaluation.measure(named: "trapezoid_auc") {
      let interval = area.interval.map {
        " [\($0.lowerBound.text(decimals: 3)), \($0.upperBound.text(decimals: 3))] over prompts"
      }
      lines.append(
        "\(evaluation.trueItems) of \(evaluation.items) heads are in \(evaluation.truth); trapezoid_auc "
          + area.mean.text(decimals: 3) + (interval ?? "")
          + (effectCorrelation.map { "; rank correlation with measured effects \($0.text(decimals: 3))" }
            ?? ""))
    }
    for (null, correlation) in zip(nulls, nullEffectCorrelations) {
      let area = null.trapezoidAUC.map { "trapezoid_auc \($0.text(decimals: 3))" }
      let effects = correlation.map { "with effects \($0.text(decimals: 3))" }
      let ranking = "with this ranking \(null.rankCorrelation?.text(decimals: 3) ?? "undefined")"
      lines.append(
        "null, \(null.name): " + [area, effects, ranking].compactMap { $0 }.joined(separator: ", "))
    }
    if nullDoesAsWell {
      lines.append("a null baseline does as well: codes have added nothing to this ranking")
    } else if let null = nullRanksAsWell, let codesLost, let other = nullCodesLost[null] {
      lines.append(
        "\(nulls[null].name) ranks heads as well, but its codes carry less: \((100 * other).text(decimals: 0)) % of the "
          + "metric against \((100 * codesLost).text(decimals: 0)) %, at as many dimensions as a head has")
    }
    return lines
  }

  init(
    _ ranking: CodeRanking, nulls attributions: [CodeAttribution], curves: [CodeAblationCurve],
    _ recording: Recording, truth: GroundTruth?,
    path: String, seed: UInt64
  ) throws {
    let layers = ranking.heads.count / ranking.headsPerLayer
    func table(_ scores: [Double]) -> HeadTable {
      HeadTable(path: path, layers: layers, headsPerLayer: ranking.headsPerLayer, scores: scores)
    }
    var rankings = attributions.map { attribution in
      (attribution.dictionary.name, CodeRanking.scores(attribution))
    }
    if !recording.pairs.isEmpty {
      rankings.append(
        ("norm of the paired difference", try pairedDifferenceNorms(recording, averaging: false)))
    }
    nulls = try rankings.map { name, scores in
      NullBaseline(
        name: name, rankCorrelation: rankCorrelation(ranking.scores, scores),
        trapezoidAUC: try truth.map { try table(scores).labelled(by: $0).trapezoidAUC })
    }
    let dimensions = curves.last?.dimensions.first
    func lost(_ name: String) -> Double? {
      guard let curve = curves.first(where: { $0.name == name }), let dimensions,
        let place = curve.dimensions.firstIndex(of: dimensions)
      else { return nil }
      return curve.lost[place]
    }
    codesLost = curves.first.flatMap { lost($0.name) }
    nullCodesLost = rankings.map { lost($0.0) }
    let effects = truth?.measurement.flatMap { measurement -> [Double]? in
      let sorted = measurement.effects.sorted { $0.head < $1.head }.map { abs($0.effect) }
      return sorted.count == ranking.heads.count ? sorted : nil
    }
    effectCorrelation = effects.flatMap { rankCorrelation(ranking.scores, $0) }
    nullEffectCorrelations = rankings.map { _, scores in effects.flatMap { rankCorrelation(scores, $0) } }
    evaluation = try truth.map {
      try Evaluation(table(ranking.scores), draws: ranking.scores(draws: 1000, seed: seed), truth: $0)
    }
  }
}
