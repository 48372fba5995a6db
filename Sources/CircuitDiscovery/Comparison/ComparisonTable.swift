// Many models and tasks at once: how rankings do on average, at worst, and beside ours.

import CausalMethods

/// One ranking on one question, over all cells that could be judged.
public struct ComparisonSummary: Codable, Hashable, Sendable {
  /// The ranking's name.
  public var ranking: String
  /// The question.
  public var question: HeadQuestion
  /// How many cells, model and task each, it was judged on.
  public var cells: Int
  /// The mean area under the ROC curve.
  public var meanAUC: Double
  /// The ends of its 95 % bootstrap interval over cells; empty for a single cell.
  public var meanAUCInterval: [Double]
  /// The lowest area.
  public var worstAUC: Double
  /// The cell it was in.
  public var worstCell: String
  /// The mean average precision.
  public var meanAveragePrecision: Double
  /// The mean of Spearman's ρ with the sizes of all measured effects.
  public var meanCorrelation: Double
  /// The lowest ρ.
  public var worstCorrelation: Double
  /// The mean over cells of our ρ less this ranking's, with its 95 % bootstrap interval over cells; nil for our own.
  public var correlationBehindOurs: Double?
  /// The interval's ends.
  public var correlationBehindOursInterval: [Double]?
  /// The mean over cells of our area less this ranking's.
  public var areaBehindOurs: Double?
  /// The interval's ends.
  public var areaBehindOursInterval: [Double]?
  /// The mean area under f over the share of best heads kept.
  public var meanHeadCPR: Double?
  /// The mean area under |1 − f|.
  public var meanHeadCMD: Double?
  /// The mean time, in seconds.
  public var seconds: Double
  /// The most memory that was resident in any cell, in MiB.
  public var peakMemory: Double?
}

/// Sums up comparisons, ranking by ranking; `ours` is what the others are held beside.
public func summarise(
  _ comparisons: [TaskComparison], ours: String = ComparedRanking.codes.name, seed: UInt64 = 0
) -> [ComparisonSummary] {
  var names: [String] = []
  for row in comparisons.flatMap(\.rows) where !names.contains(row.ranking) { names.append(row.ranking) }
  return names.flatMap { name in
    HeadQuestion.allCases.compactMap { question -> ComparisonSummary? in
      var found: [(cell: String, row: ComparedRow, verdict: RankingVerdict, own: RankingVerdict?)] = []
      for comparison in comparisons {
        guard
          let row = comparison.rows.first(where: { $0.ranking == name && $0.question == question }),
          let verdict = row.verdict
        else { continue }
        let own = comparison.rows.first { $0.ranking == ours && $0.question == question }?.verdict
        found.append(("\(comparison.model)/\(comparison.task)", row, verdict, own))
      }
      guard let worst = found.min(by: { $0.verdict.trapezoidAUC < $1.verdict.trapezoidAUC }) else {
        return nil
      }
      func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(max(1, values.count)) }
      func average(_ values: [Double]) -> Double? { values.isEmpty ? nil : mean(values) }
      func interval(_ values: [Double]) -> [Double] {
        guard values.count > 1 else { return [] }
        let found = bootstrapInterval(ofMean: values, seed: seed)
        return [found.lowerBound, found.upperBound]
      }
      let areas = found.map(\.verdict.trapezoidAUC)
      let correlations = found.compactMap(\.verdict.rankCorrelation)
      let behind = found.compactMap { cell in
        cell.own?.rankCorrelation.flatMap { own in cell.verdict.rankCorrelation.map { own - $0 } }
      }
      let areasBehind = found.compactMap { cell in
        cell.own.map { $0.trapezoidAUC - cell.verdict.trapezoidAUC }
      }
      let isOurs = name == ours
      return ComparisonSummary(
        ranking: name, question: question, cells: found.count, meanAUC: mean(areas),
        meanAUCInterval: interval(areas), worstAUC: worst.verdict.trapezoidAUC, worstCell: worst.cell,
        meanAveragePrecision: mean(found.map(\.verdict.averagePrecision)),
        meanCorrelation: mean(correlations), worstCorrelation: correlations.min() ?? 0,
        correlationBehindOurs: isOurs || behind.isEmpty ? nil : mean(behind),
        correlationBehindOursInterval: isOurs || behind.isEmpty ? nil : interval(behind),
        areaBehindOurs: isOurs || areasBehind.isEmpty ? nil : mean(areasBehind),
        areaBehindOursInterval: isOurs || areasBehind.isEmpty ? nil : interval(areasBehind),
        meanHeadCPR: average(found.compactMap(\.row.headCPR)),
        meanHeadCMD: average(found.compactMap(\.row.headCMD)), seconds: mean(found.map(\.row.seconds)),
        peakMemory: found.compactMap(\.row.peakMemory).max())
    }
  }
}
