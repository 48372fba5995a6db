// From a recording and its autoencoders to ranked heads and ranked pairs of heads.

import Recordings
import SparseAutoencoders

/// Heads and pairs of heads in order, with what they were ranked by.
public struct HeadRanking: Hashable, Codable, Sendable {
  /// How they were ranked.
  public var rankingProtocol: RankingProtocol
  /// All heads, best first; ties by layer, then head.
  public var heads: [RankedHead]
  /// All unordered pairs of different heads, best first; ties by layers, then heads.
  public var pairs: [RankedPair]

  /// Ranks heads that have scores already.
  ///
  /// - Parameters:
  ///   - scores: one a head, `layers · heads` of them, layer by layer.
  ///   - counts: the codes of each head.
  ///   - pairScores: one for each unordered pair of heads, in the order of `PairScores.unique`.
  ///   - positions: for each head the position its score comes from, where positions were kept apart.
  public init(
    scores: [Double], counts: [CodeCounts], pairScores: [Double], headsPerLayer: Int,
    positions: [Int?]? = nil, protocol rankingProtocol: RankingProtocol
  ) {
    let count = scores.count
    precondition(
      counts.count == count && pairScores.count == count * (count - 1) / 2 && headsPerLayer > 0
        && count % headsPerLayer == 0,
      "\(count) scores, \(counts.count) counts, \(pairScores.count) pairs, \(headsPerLayer) heads a layer")
    self.rankingProtocol = rankingProtocol
    let probabilities = softmax(scores)
    heads = competitionOrder(scores).map { index, rank in
      RankedHead(
        rank: rank, layer: index / headsPerLayer, head: index % headsPerLayer, score: scores[index],
        probability: probabilities[index], counts: counts[index], position: positions?[index])
    }
    var members: [(Int, Int)] = []
    members.reserveCapacity(pairScores.count)
    for first in 0..<count {
      for second in first + 1..<count { members.append((first, second)) }
    }
    pairs = competitionOrder(pairScores).map { index, rank in
      let (first, second) = members[index]
      return RankedPair(
        rank: rank, layerA: first / headsPerLayer, headA: first % headsPerLayer,
        layerB: second / headsPerLayer, headB: second % headsPerLayer, score: pairScores[index])
    }
  }

  /// The scores in the order of layers and heads.
  public var scores: [Double] {
    heads.sorted { ($0.layer, $0.head) < ($1.layer, $1.head) }.map(\.score)
  }

  /// The predicted circuit: heads whose probability reaches a threshold θ, best first.
  public func circuit(threshold: Double) -> [RankedHead] {
    heads.filter { $0.probability >= threshold }
  }
}

extension HeadRanking {
  /// Ranks the heads of a recording by its autoencoders; see `HeadScorer`.
  /// - Throws: what `HeadScorer` throws.
  public static func rank(
    _ recording: Recording, with trained: TrainedAutoencoders, protocol rankingProtocol: RankingProtocol
  ) throws -> HeadRanking {
    try HeadScorer(recording, trained: trained, protocol: rankingProtocol).ranking()
  }

  /// Ranks the heads of a recording by any encoders, such as null baselines; see `HeadScorer`.
  /// - Throws: what `HeadScorer` throws.
  public static func rank(
    _ recording: Recording, encoders: [HeadEncoder], trainedOn: [[Int]], averaging: Bool,
    protocol rankingProtocol: RankingProtocol
  ) throws -> HeadRanking {
    try HeadScorer(
      recording, encoders: encoders, trainedOn: trainedOn, averaging: averaging, protocol: rankingProtocol
    ).ranking()
  }
}
