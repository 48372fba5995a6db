// How well scores tell true items from false ones: each measure under its own name, ties made explicit.

/// Scores of items, each known to be true or false; a higher score says "true" more strongly.
///
/// Items with equal scores are never ordered: measures over thresholds take them in or leave them out together,
/// measures at a number of items take the expected value over all orders of the tied ones.
public struct LabelledScores: Sendable {
  /// Counts of true and false items among those with one score, highest score first.
  private let levels: [Level]
  /// The number of true items.
  public let positives: Int
  /// The number of false items.
  public let negatives: Int

  private struct Level {
    var positives = 0
    var negatives = 0
    var count: Int { positives + negatives }
  }

  /// Scores with their truth.
  /// - Parameter name: the name of the truth, for messages.
  /// - Throws: `ScoreError` where a score is NaN, or no item or every item is true.
  public init(_ scores: [Double], isTrue: [Bool], name: String = "the ground truth") throws(ScoreError) {
    precondition(scores.count == isTrue.count, "\(scores.count) scores, \(isTrue.count) labels")
    if let index = scores.firstIndex(where: \.isNaN) { throw .notANumber(index: index) }
    positives = isTrue.count { $0 }
    negatives = isTrue.count - positives
    guard positives > 0 else { throw .noTrueHeads(truth: name) }
    guard negatives > 0 else { throw .noFalseHeads(truth: name) }
    var levels: [Level] = []
    var last: Double?
    for index in scores.indices.sorted(by: { scores[$0] > scores[$1] }) {
      if last != scores[index] { levels.append(Level()) }
      last = scores[index]
      if isTrue[index] {
        levels[levels.count - 1].positives += 1
      } else {
        levels[levels.count - 1].negatives += 1
      }
    }
    self.levels = levels
  }

  /// The number of items.
  public var count: Int { positives + negatives }

  /// True and false items at or above each distinct score, from none to all.
  private var cuts: [(positives: Int, negatives: Int)] {
    var cuts = [(positives: 0, negatives: 0)]
    var sum = Level()
    for level in levels {
      sum.positives += level.positives
      sum.negatives += level.negatives
      cuts.append((sum.positives, sum.negatives))
    }
    return cuts
  }

  /// The area under the ROC curve by trapezoids: the chance that a true item scores above a false one, a tie
  /// counting half.
  public var trapezoidAUC: Double {
    var area = 0.0
    var above = 0
    for level in levels {
      area += Double(level.negatives) * (Double(above) + Double(level.positives) / 2)
      above += level.positives
    }
    return area / (Double(positives) * Double(negatives))
  }

  /// The area under the stairs below the ROC points: Σ (1 − FPRᵢ)(TPRᵢ − TPRᵢ₋₁), so that a tie counts as if
  /// its false items came first (Conmy et al. 2023, public code).
  public var pessimisticAUC: Double {
    var area = 0.0
    for (before, cut) in zip(cuts, cuts.dropFirst()) {
      let rise = Double(cut.positives - before.positives) / Double(positives)
      area += (1 - Double(cut.negatives) / Double(negatives)) * rise
    }
    return area
  }

  /// Average precision: Σ (Rᵢ − Rᵢ₋₁) Pᵢ over the distinct scores.
  public var averagePrecision: Double {
    var sum = 0.0
    for (before, cut) in zip(cuts, cuts.dropFirst()) {
      let rise = Double(cut.positives - before.positives) / Double(positives)
      sum += rise * Double(cut.positives) / Double(cut.positives + cut.negatives)
    }
    return sum
  }

  /// Measures of the `k` highest items.
  /// - Throws: `ScoreError.badCount` where `k` is not from 1 to the number of items.
  public func top(_ k: Int) throws(ScoreError) -> TopScores {
    guard k > 0, k <= count else { throw .badCount(k, heads: count) }
    var found = 0.0
    var left = k
    for level in levels where left > 0 {
      let taken = min(left, level.count)
      found += Double(taken) * Double(level.positives) / Double(level.count)
      left -= taken
    }
    return TopScores(k: k, found: found, positives: positives, negatives: negatives)
  }

  /// The largest value of the authors' "F1" over all thresholds; see `TopScores.authorsF1`.
  public var bestAuthorsF1: Double {
    cuts.dropFirst().map { cut in
      authorsF1(
        truePositiveRate: Double(cut.positives) / Double(positives),
        falsePositiveRate: Double(cut.negatives) / Double(negatives))
    }.max() ?? 0
  }
}

/// Measures of the `k` highest items; where a tie straddles the cut, expected values over its orders.
public struct TopScores: Sendable {
  /// The number of items taken.
  public let k: Int
  /// The (expected) number of true items among them.
  public let found: Double
  let positives: Int
  let negatives: Int

  /// The share of the items taken that are true.
  public var precision: Double { found / Double(k) }
  /// The share of the true items that were taken.
  public var recall: Double { found / Double(positives) }
  /// The harmonic mean of precision and recall.
  public var f1: Double { 2 * found / Double(k + positives) }
  /// What O'Neill & Bui's public code calls F1: 2·TPR·(1 − FPR) / (TPR + 1 − FPR).
  public var authorsF1: Double {
    CircuitDiscovery.authorsF1(
      truePositiveRate: recall, falsePositiveRate: (Double(k) - found) / Double(negatives))
  }
}

private func authorsF1(truePositiveRate: Double, falsePositiveRate: Double) -> Double {
  let sum = truePositiveRate + 1 - falsePositiveRate
  return sum > 0 ? 2 * truePositiveRate * (1 - falsePositiveRate) / sum : 0
}
