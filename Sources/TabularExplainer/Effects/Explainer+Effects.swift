// What the black box does with the kept features over many rows: what figures are drawn of.

import Tables
import Tensors
import Trees

/// Effects of features over rows, and the quality of predictions, for one output of a black box.
public struct ExplainerEffects: Sendable {
  /// The output that is followed: a class, or 0 for a quantity.
  public let output: Int
  /// How the output follows each kept feature; empty where the black box cannot be asked about new rows.
  public let features: [FeatureEffect]
  /// The table's rows that effects were measured on.
  public let rows: [Int]
  /// Contributions on held-out rows, with the rows they are of, as the table counts them.
  public let contributions: [(row: Int, contributions: Contributions)]
  /// Pairs of features by the mean size of their SHAP interaction value, the largest first; empty where the black box is
  /// not made of trees, or of too many.
  public let pairs: [PairInteraction]
  /// How many held-out rows pairs were measured on.
  public let pairRows: Int
  /// The calibration curve on held-out rows; empty for a table without a target.
  public let calibration: [CalibrationBin]
  /// True against predicted classes on held-out rows; nil for a quantity.
  public let confusion: ConfusionMatrix?
}

/// Two features and how much they move predictions together.
public struct PairInteraction: Sendable, Equatable {
  /// The features' places in the table.
  public let features: [Int]
  /// The mean over rows of the size of the pair's interaction index, in the unit of the scores.
  public let size: Double
}

extension Explainer {
  /// Features that effects are looked at of.
  public static let mostEffects = 8
  /// Multiplications that interaction values may take: about a second on two cores.
  static let interactionBudget = 4e9

  /// Effects of the kept features on an output, over at most `most` rows each.
  /// - Throws: what the black box throws.
  public func effects(following output: Int, rows most: Int = 200) throws -> ExplainerEffects {
    var generator = SeededGenerator(seed: options.seed, stream: "rows of effects")
    let training = generator.permutation(of: split.training.count).prefix(most).sorted().map {
      split.training[$0]
    }
    let held = generator.permutation(of: split.held.count).prefix(most).sorted().map { split.held[$0] }
    let (pairs, pairRows) = try interactions(held, output: output)
    return ExplainerEffects(
      output: output, features: try featureEffects(training, output: output), rows: training,
      contributions: try heldContributions(held), pairs: pairs, pairRows: pairRows,
      calibration: calibration(of: output), confusion: confusion())
  }

  private func featureEffects(_ rows: [Int], output: Int) throws -> [FeatureEffect] {
    guard probed.answersNewRows, !rows.isEmpty else { return [] }
    let part = table.features.selecting(rows: rows)
    let tables = try ChangedTables(part, model: probed.blackBox)
    return try choice.features.prefix(Self.mostEffects).compactMap {
      try FeatureEffect(of: $0, in: part, tables, output: output, individualCount: 30)
    }
  }

  private func heldContributions(_ rows: [Int]) throws -> [(row: Int, contributions: Contributions)] {
    guard let ensemble = probed.ensemble, !rows.isEmpty else { return [] }
    let found = try Contributions.byRow(
      .treeSHAP, ensemble, table.features.selecting(rows: rows), tableNames: table.features.names)
    return Array(zip(rows, found)).map { (row: $0, contributions: $1) }
  }

  private func interactions(_ rows: [Int], output: Int) throws -> ([PairInteraction], Int) {
    guard let ensemble = probed.ensemble else { return ([], 0) }
    let affordable = Int(Self.interactionBudget / max(1, ensemble.interactionCost))
    let part = Array(rows.prefix(min(100, affordable)))
    guard part.count >= min(10, rows.count), !part.isEmpty else { return ([], 0) }
    let found = try ensemble.shapInteractions(
      table.features.selecting(rows: part), score: min(output, ensemble.scoreCount - 1))
    let places = Dictionary(zip(table.features.names, 0...), uniquingKeysWith: { first, _ in first })
    let inTable = found.features.map { places[ensemble.featureNames[$0]] ?? 0 }
    var pairs: [PairInteraction] = []
    for first in inTable.indices {
      for second in inTable.indices.dropFirst(first + 1) {
        // Both halves of the pair's index.
        let size = 2 * found.meanSize(first, second)
        if size > 0 {
          pairs.append(PairInteraction(features: [inTable[first], inTable[second]], size: size))
        }
      }
    }
    return (pairs.sorted { ($1.size, $0.features[0]) < ($0.size, $1.features[0]) }, part.count)
  }

  private func calibration(of output: Int) -> [CalibrationBin] {
    guard !table.targetIsPredicted, !split.held.isEmpty else { return [] }
    let (values, width) = (heldOutputs.values, heldOutputs.shape[1])
    let predicted = split.held.indices.map { Double(values[$0 * width + output]) }
    switch table.target {
    case .classes(let labels, _):
      return calibrationCurve(
        probabilities: predicted, isTrue: split.held.map { labels[$0] == output })
    case .values(let truth):
      return calibrationCurve(predictions: predicted, truth: split.held.map { Double(truth[$0]) })
    }
  }

  private func confusion() -> ConfusionMatrix? {
    guard !table.targetIsPredicted, case .classes(let labels, let names) = table.target else { return nil }
    return ConfusionMatrix(
      labels: split.held.map { labels[$0] }, predicted: heldOutcomes, classCount: names.count)
  }
}
