// Heads in order of what their codes do to the answer, and how sure that order is.

import CausalMethods
import Tensors

/// One head by its codes.
public struct AttributedHead: Hashable, Codable, Sendable {
  /// 1 for the best; equal scores share a rank.
  public var rank: Int
  /// The layer.
  public var layer: Int
  /// The number within the layer.
  public var head: Int
  /// The size of `attribution`: what heads are ranked by.
  public var score: Double
  /// The change of the metric through the head's codes where the head is replaced, a mean over prompts: negative where
  /// the head helps.
  public var attribution: Double
  /// The same as a share of the metric.
  public var share: Double
  /// The change that no code carries.
  public var error: Double
  /// Codes and error: attribution of the head without any dictionary.
  public var whole: Double
  /// The 95 % bootstrap interval of `attribution` over prompts.
  public var interval: ClosedRange<Double>
  /// The 95 % interval of the head's rank over the same draws.
  public var ranks: ClosedRange<Int>
  /// The share of draws in which the head is among the best.
  public var inTop: Double
  /// Two-sided p of a mean of zero, where signs of prompts' scores are flipped at random.
  public var pValue: Double
  /// p after Benjamini and Hochberg's correction over heads.
  public var qValue: Double
  /// Whether the head is said to be in the circuit.
  public var isInCircuit: Bool
  /// Codes by the side that uses them.
  public var counts: CodeCounts
  /// The softmax of all scores at this head.
  public var probability: Double
}

/// Two heads and what both carry on the same prompts.
public struct JointAttribution: Hashable, Codable, Sendable {
  /// The heads, over all layers.
  public var first: Int
  /// The other one.
  public var second: Int
  /// The mean over prompts of the smaller of the two heads' attributions, where both have one sign; else 0.
  public var score: Double
}

/// What makes a head part of the circuit.
public struct CircuitCut: Hashable, Codable, Sendable {
  /// The rate of false discoveries that is allowed among heads.
  public var falseDiscoveryRate = 0.05
  /// The least attribution that counts, as a share of the metric.
  public var leastShare = 0.05
  /// How many heads count as the best in `inTop` and in `topJaccard`.
  public var top = 10

  /// The usual cut.
  public init() {}
}

/// Heads ranked by code attribution.
public struct CodeRanking: Sendable {
  /// All heads, best first.
  public let heads: [AttributedHead]
  /// The mean metric over prompts.
  public let metric: Double
  /// Mean Jaccard similarity of the best heads of two draws of the prompts, each read by one of the dictionaries in turn.
  public let topJaccard: Double
  /// How many dictionaries, trained with different seeds, the scores are a mean over.
  public let dictionaries: Int
  /// The cut.
  public let cut: CircuitCut
  /// The number of heads in a layer.
  public let headsPerLayer: Int
  private let scoresByPrompt: [[Double]]
  /// The same by each dictionary alone.
  private let byDictionary: [[[Double]]]

  /// Ranks heads by the mean of attributions to dictionaries of different seeds; codes are counted in the first.
  ///
  /// Intervals are over prompts and dictionaries: each draw of the prompts is read by one of the dictionaries.
  /// - Parameters:
  ///   - attributions: one or more, of the same prompts and heads.
  ///   - metric: of each prompt.
  ///   - draws: of prompts with replacement, for intervals; and of signs, for p.
  public init(
    _ attributions: [CodeAttribution], metric: [Double], headsPerLayer: Int, cut: CircuitCut = CircuitCut(),
    draws: Int = 1000, seed: UInt64
  ) {
    precondition(!attributions.isEmpty, "a ranking of no attribution")
    let first = attributions[0]
    self.init(
      byDictionary: attributions.map(\.byCodes), whole: first.whole,
      counts: (0..<first.heads).map(first.counts(ofHead:)), metric: metric, headsPerLayer: headsPerLayer,
      cut: cut, draws: draws, seed: seed)
  }

  /// Ranks heads by the codes of the model's own codebooks, which sum to a head's whole attribution.
  ///
  /// - Parameter draws: as for dictionaries; intervals are over prompts.
  public init(
    _ native: NativeCodeAttribution, headsPerLayer: Int, cut: CircuitCut = CircuitCut(), draws: Int = 1000,
    seed: UInt64
  ) {
    self.init(
      byDictionary: [native.byHead], whole: native.byHead, counts: native.counts, metric: native.metric,
      headsPerLayer: headsPerLayer, cut: cut, draws: draws, seed: seed)
  }

  private init(
    byDictionary: [[[Double]]], whole: [[Double]], counts: [CodeCounts], metric: [Double],
    headsPerLayer: Int, cut: CircuitCut, draws: Int, seed: UInt64
  ) {
    let byCodes = Self.mean(byDictionary)
    let means = meanOverPrompts(byCodes)
    let wholes = meanOverPrompts(whole)
    let errors = zip(wholes, means).map { $0 - $1 }
    let metricMean = metric.reduce(0, +) / Double(max(1, metric.count))
    let redrawn = PromptDraws(prompts: byCodes.count, count: draws, seed: seed)
    let drawn = Self.draws(redrawn, byDictionary)
    let intervals = redrawn.intervals(drawn)
    let (jaccard, inTop) = redrawn.topStability(drawn, k: min(cut.top, means.count))
    let ranks = rankIntervals(drawn)
    let pValues = signFlipPValues(byCodes, draws: 2000, seed: seed)
    let qValues = benjaminiHochberg(pValues)
    let scores = means.map(abs)
    let probabilities = softmax(scores)
    heads = competitionOrder(scores).map { index, rank in
      let share = metricMean == 0 ? 0 : means[index] / abs(metricMean)
      return AttributedHead(
        rank: rank, layer: index / headsPerLayer, head: index % headsPerLayer, score: scores[index],
        attribution: means[index], share: share, error: errors[index], whole: wholes[index],
        interval: intervals[index], ranks: ranks[index], inTop: inTop[index], pValue: pValues[index],
        qValue: qValues[index],
        isInCircuit: qValues[index] <= cut.falseDiscoveryRate && abs(share) >= cut.leastShare,
        counts: counts[index], probability: probabilities[index])
    }
    self.metric = metricMean
    topJaccard = jaccard
    self.cut = cut
    self.headsPerLayer = headsPerLayer
    scoresByPrompt = byCodes
    self.byDictionary = byDictionary
    dictionaries = byDictionary.count
  }

  /// The mean over dictionaries, `[prompt][head]`.
  private static func mean(_ tables: [[[Double]]]) -> [[Double]] {
    guard let first = tables.first, tables.count > 1 else { return tables.first ?? [] }
    return first.indices.map { prompt in
      first[prompt].indices.map { head in
        tables.reduce(0) { $0 + $1[prompt][head] } / Double(tables.count)
      }
    }
  }

  /// Means under each draw of the prompts `[draw, head]`, by one dictionary after the other.
  private static func draws(_ redrawn: PromptDraws, _ tables: [[[Double]]]) -> Tensor {
    let means = tables.map { table in redrawn.means(table.map { $0.map { Float($0) } }) }
    guard means.count > 1 else { return means[0] }
    var result = means[0]
    for draw in 0..<result.shape[0] {
      result.write(means[draw % means.count].row(draw), at: draw * result.shape[1])
    }
    return result
  }

  /// The scores by layer and head.
  public var scores: [Double] {
    heads.sorted { ($0.layer, $0.head) < ($1.layer, $1.head) }.map(\.score)
  }

  /// The scores that an attribution gives heads: the size of the mean over prompts of all codes together.
  public static func scores(_ attribution: CodeAttribution) -> [Double] { scores([attribution]) }

  /// The scores that attributions to several dictionaries give heads.
  public static func scores(_ attributions: [CodeAttribution]) -> [Double] {
    meanOverPrompts(mean(attributions.map(\.byCodes))).map(abs)
  }

  /// Scores of all heads for draws of the prompts, as `Evaluation` takes them.
  public func scores(draws count: Int, seed: UInt64) -> [[Double]] {
    let means = Self.draws(
      PromptDraws(prompts: scoresByPrompt.count, count: count, seed: seed), byDictionary)
    let items = means.shape[1]
    let values = means.values
    return (0..<count).map { draw in (0..<items).map { Double(abs(values[draw * items + $0])) } }
  }

  /// All pairs of heads by what both carry on the same prompts, best first.
  public func pairs() -> [JointAttribution] {
    let count = heads.count
    let rows = scoresByPrompt
    let found = parallelMap(count) { first -> [JointAttribution] in
      (first + 1..<max(first + 1, count)).map { second in
        let sum = rows.reduce(0.0) { sum, row in
          row[first] * row[second] > 0 ? sum + min(abs(row[first]), abs(row[second])) : sum
        }
        return JointAttribution(first: first, second: second, score: sum / Double(max(1, rows.count)))
      }
    }
    return found.flatMap { $0 }.sorted { (-$0.score, $0.first, $0.second) < (-$1.score, $1.first, $1.second) }
  }
}

extension CodeAttribution {
  /// A head's codes by the side that uses them: prompts, or what replaces them.
  func counts(ofHead head: Int) -> CodeCounts {
    var counts = CodeCounts(uniqueToPositive: 0, uniqueToNegative: 0, distinct: 0)
    for place in head * features..<(head + 1) * features {
      let (own, other) = (uses[place] > 0, replacedUses[place] > 0)
      if own || other { counts.distinct += 1 }
      if own && !other { counts.uniqueToPositive += 1 }
      if other && !own { counts.uniqueToNegative += 1 }
    }
    return counts
  }
}

/// The 95 % interval of each item's rank over draws `[draw, item]`.
private func rankIntervals(_ draws: Tensor) -> [ClosedRange<Int>] {
  let (count, items) = (draws.shape[0], draws.shape[1])
  let values = draws.values
  let ranks = parallelMap(count) { draw -> [Int] in
    let scores = (0..<items).map { Double(abs(values[draw * items + $0])) }
    var ranks = [Int](repeating: 0, count: items)
    for (index, rank) in competitionOrder(scores) { ranks[index] = rank }
    return ranks
  }
  return (0..<items).map { item in
    let found = percentileInterval(ranks.map { Double($0[item]) })
    return Int(found.lowerBound.rounded())...Int(found.upperBound.rounded())
  }
}

/// For each item the two-sided p of a mean of zero: the share of random flips of the prompts' signs that give a mean at
/// least as large, the unflipped one counted in. All items share the flips.
///
/// - Parameter rows: `[prompt][item]`.
func signFlipPValues(_ rows: [[Double]], draws: Int, seed: UInt64) -> [Double] {
  guard let items = rows.first?.count else { return [] }
  var generator = SeededGenerator(seed: seed, stream: "sign flips")
  var signs = Tensor(zeros: [draws, rows.count])
  signs.withMutableValues { values in
    for index in values.indices { values[index] = generator.next() >> 63 == 0 ? 1 : -1 }
  }
  let table = Tensor(rows.flatMap { $0.map { Float($0) } }, shape: [rows.count, items])
  let sums = matrixProduct(signs, table).values
  return (0..<items).map { item in
    let own = abs(rows.reduce(0) { $0 + $1[item] })
    // Rounding must not make a sum smaller than itself.
    let least = own * (1 - 1e-5)
    let larger = (0..<draws).count { Double(abs(sums[$0 * items + item])) >= least }
    return Double(larger + 1) / Double(draws + 1)
  }
}

/// p corrected for the number of tests so that a cut at q keeps the rate of false discoveries at q (Benjamini & Hochberg
/// 1995).
func benjaminiHochberg(_ pValues: [Double]) -> [Double] {
  let order = pValues.indices.sorted { pValues[$0] < pValues[$1] }
  var corrected = pValues
  var least = 1.0
  for (place, index) in order.enumerated().reversed() {
    least = min(least, pValues[index] * Double(pValues.count) / Double(place + 1))
    corrected[index] = least
  }
  return corrected
}
