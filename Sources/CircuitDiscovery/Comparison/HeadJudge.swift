// What rankings of heads are judged by: what replacing each head does, on prompts drawn with another seed.

import CausalMethods
import Tensors
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
  /// The effects under redrawn prompts, `[draw][head]`.
  private let drawnEffects: [[Double]]
  /// The least effect that counts.
  public static let threshold = 0.05

  /// A judge from measured effects.
  public init(_ question: HeadQuestion, _ ablation: HeadAblation) {
    self.question = question
    let found = ablation.effects(seed: 0)
    effects = found.map(\.effect)
    isTrue = found.map { abs($0.effect) >= Self.threshold && ($0.low > 0 || $0.high < 0) }
    drawnEffects = Self.draws(ablation)
  }

  private static func draws(_ ablation: HeadAblation, count: Int = 200) -> [[Double]] {
    let base = ablation.baseline.map(\.margin)
    guard !base.isEmpty else { return [] }
    // One row a prompt: its margin, then what replacing each head takes from it.
    let rows = base.indices.map { prompt in
      [Float(base[prompt])] + ablation.margins.map { Float(base[prompt] - $0[prompt]) }
    }
    let means = PromptDraws(prompts: base.count, count: count, seed: 0).means(rows)
    return (0..<count).map { draw in
      let values = means.row(draw).values
      let whole = Double(values[0])
      return values.dropFirst().map { whole == 0 ? 0 : Double($0) / whole }
    }
  }

  /// How scores agree with it; nil where no head or every head is true.
  public func verdict(on scores: [Double]) -> RankingVerdict? {
    guard let labelled = try? LabelledScores(scores, isTrue: isTrue) else { return nil }
    var verdict = RankingVerdict(
      trapezoidAUC: labelled.trapezoidAUC, averagePrecision: labelled.averagePrecision,
      rankCorrelation: CausalMethods.rankCorrelation(scores, effects.map(abs)))
    var (areas, correlations): ([Double], [Double]) = ([], [])
    for effects in drawnEffects {
      if let drawn = try? LabelledScores(scores, isTrue: effects.map { abs($0) >= Self.threshold }) {
        areas.append(drawn.trapezoidAUC)
      }
      if let correlation = CausalMethods.rankCorrelation(scores, effects.map(abs)) {
        correlations.append(correlation)
      }
    }
    func interval(_ values: [Double]) -> [Double]? {
      guard values.count > 1 else { return nil }
      let found = percentileInterval(values)
      return [found.lowerBound, found.upperBound]
    }
    verdict.trapezoidAUCInterval = interval(areas)
    verdict.rankCorrelationInterval = interval(correlations)
    return verdict
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
  /// The ends of the area's 95 % bootstrap interval over the prompts that effects were measured on.
  public var trapezoidAUCInterval: [Double]?
  /// The ends of ρ's.
  public var rankCorrelationInterval: [Double]?

  /// A verdict.
  public init(trapezoidAUC: Double, averagePrecision: Double, rankCorrelation: Double?) {
    self.trapezoidAUC = trapezoidAUC
    self.averagePrecision = averagePrecision
    self.rankCorrelation = rankCorrelation
  }
}
