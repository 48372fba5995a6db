// Heads in order of a score, with ties said out loud.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// One head's place in a ranking.
public struct RankedHead: Hashable, Codable, Sendable {
  /// 1 for the best; heads of equal score share a rank, and the next rank is left out for each that does.
  public var rank: Int
  /// The layer, from 0.
  public var layer: Int
  /// The head within its layer, from 0.
  public var head: Int
  /// The score that ranks it.
  public var score: Double
  /// The softmax of all scores at this head.
  public var probability: Double
  /// The codes it shows.
  public var counts: CodeCounts
  /// The position the score was found at, counted from the prompt's end (−1 is the last); nil where positions were not
  /// kept apart.
  public var position: Int?
}

/// Two heads' place in a ranking of pairs.
public struct RankedPair: Hashable, Codable, Sendable {
  /// 1 for the best; equal scores share a rank.
  public var rank: Int
  /// The first head's layer.
  public var layerA: Int
  /// The first head.
  public var headA: Int
  /// The second head's layer.
  public var layerB: Int
  /// The second head.
  public var headB: Int
  /// Pairs of codes shown together on positives and never on negatives, normalised where the protocol says so.
  public var score: Double
}

/// The ranks of scores, highest first: equal scores share one (1, 2, 2, 4), and stay in the order they came.
func competitionOrder(_ scores: [Double]) -> [(index: Int, rank: Int)] {
  let order = scores.indices.sorted { (-scores[$0], $0) < (-scores[$1], $1) }
  var ranked: [(index: Int, rank: Int)] = []
  for (place, index) in order.enumerated() {
    let isTie = place > 0 && scores[order[place - 1]] == scores[index]
    ranked.append((index, isTie ? ranked[place - 1].rank : place + 1))
  }
  return ranked
}

/// exp(xᵢ)/Σ exp(xⱼ), without overflow.
func softmax(_ scores: [Double]) -> [Double] {
  let largest = scores.max() ?? 0
  let powers = scores.map { exp($0 - largest) }
  let sum = powers.reduce(0, +)
  return powers.map { $0 / sum }
}
