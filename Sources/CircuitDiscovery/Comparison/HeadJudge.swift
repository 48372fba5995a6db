// What rankings of heads are judged by: what replacing each head does, on prompts drawn with another seed.

import CausalMethods
import Transformers

/// A question about heads, answered by replacing each one in turn.
public enum HeadQuestion: String, CaseIterable, Codable, CodingKeyRepresentable, Sendable {
  /// What carries the difference between a prompt and its negative: heads take their value there.
  case pair
  /// What the task cannot do without: heads take their mean over negatives, position by position.
  case mean

  /// What stands in for a head.
  public var replacement: HeadReplacement { self == .pair ? .pair : .negatives }

  /// The same for causal methods.
  public var sourceReplacement: SourceReplacement { self == .pair ? .pair : .mean }
}

/// Every head's measured effect, and which are large.
public struct HeadJudge: Sendable {
  /// The question.
  public let question: HeadQuestion
  /// The share of the metric that is lost where a head is replaced, by layer and head.
  public let effects: [Double]
  /// Whether it is at least `threshold` in size, with an interval that leaves out zero.
  public let isTrue: [Bool]
  /// The least effect that counts.
  public static let threshold = 0.05

  /// A judge from measured effects.
  public init(_ question: HeadQuestion, _ ablation: HeadAblation) {
    self.question = question
    let found = ablation.effects(seed: 0)
    effects = found.map(\.effect)
    isTrue = found.map { abs($0.effect) >= Self.threshold && ($0.low > 0 || $0.high < 0) }
  }

  /// How scores agree with it; nil where no head or every head is true.
  public func verdict(on scores: [Double]) -> RankingVerdict? {
    guard let labelled = try? LabelledScores(scores, isTrue: isTrue) else { return nil }
    return RankingVerdict(
      trapezoidAUC: labelled.trapezoidAUC, averagePrecision: labelled.averagePrecision,
      rankCorrelation: CausalMethods.rankCorrelation(scores, effects.map(abs)))
  }
}

/// How a ranking agrees with measured effects.
public struct RankingVerdict: Codable, Hashable, Sendable {
  /// The area under the ROC curve against the heads of large effect.
  public var trapezoidAUC: Double
  /// Average precision against them.
  public var averagePrecision: Double
  /// Spearman's ρ with the size of all effects; nil where either has no order.
  public var rankCorrelation: Double?

  /// A verdict.
  public init(trapezoidAUC: Double, averagePrecision: Double, rankCorrelation: Double?) {
    self.trapezoidAUC = trapezoidAUC
    self.averagePrecision = averagePrecision
    self.rankCorrelation = rankCorrelation
  }
}
