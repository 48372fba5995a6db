// The authors' "edge" result: heads by how often they are named when pairs are read from the best down.

/// What to do where pairs have the same score, which is almost everywhere.
public enum TieRule: String, Codable, Hashable, Sendable {
  /// Later pairs first, as when a stable ascending sort is read from its end. The authors sort with NumPy's default,
  /// which is not stable, and read from the end: their order among ties is an accident of that sort.
  case laterFirst
  /// All pairs of a score share what is left: each counts for the same fraction.
  case shared
}

/// For each head, how often it is mentioned among the best ordered pairs.
///
/// All S² ordered pairs (a head with itself scores 0) are sorted by score, and heads are noted pair by pair, both heads
/// of each, until S²/2 mentions are reached (O'Neill & Bui's code).
/// - Parameter score: the score of two heads, symmetric.
public func headMentions(
  heads: Int, limit: Int? = nil, ties: TieRule, score: (Int, Int) -> Double
) -> [Double] {
  let limit = limit ?? heads * heads / 2
  let scores = (0..<heads * heads).map { pair in
    pair / heads == pair % heads ? 0 : score(pair / heads, pair % heads)
  }
  var mentions = [Double](repeating: 0, count: heads)
  switch ties {
  case .laterFirst:
    let order = scores.indices.sorted { (scores[$0], $0) > (scores[$1], $1) }
    for mention in 0..<min(limit, 2 * order.count) {
      let pair = order[mention / 2]
      mentions[mention % 2 == 0 ? pair / heads : pair % heads] += 1
    }
  case .shared:
    let order = scores.indices.sorted { (-scores[$0], $0) < (-scores[$1], $1) }
    var left = Double(limit)
    var start = 0
    while start < order.count, left > 0 {
      var end = start
      while end < order.count, scores[order[end]] == scores[order[start]] { end += 1 }
      let share = min(1, left / Double(2 * (end - start)))
      for pair in order[start..<end] {
        mentions[pair / heads] += share
        mentions[pair % heads] += share
      }
      left -= share * Double(2 * (end - start))
      start = end
    }
  }
  return mentions
}
