// Area under the ROC curve from ranks, for many reweightings of the same scores.

/// Scores sorted once, so that the area under the curve can be computed for any weights in linear time.
struct RankArea: Sendable {
  private let order: [Int]
  private let scores: [Float]
  private let isPositive: [Bool]

  init(scores: [Float], isPositive: [Bool]) {
    self.scores = scores
    self.isPositive = isPositive
    order = scores.indices.sorted { scores[$0] < scores[$1] }
  }

  /// The probability that a positive row scores above a negative one, ties counting half; NaN without both.
  func area(weights: [Double]?) -> Double {
    var (negativesBelow, wins, positives) = (0.0, 0.0, 0.0)
    var start = 0
    while start < order.count {
      var (tiedPositives, tiedNegatives) = (0.0, 0.0)
      let score = scores[order[start]]
      // A score that is no number equals not even itself, and counts alone.
      repeat {
        let row = order[start]
        let weight = weights?[row] ?? 1
        if isPositive[row] { tiedPositives += weight } else { tiedNegatives += weight }
        start += 1
      } while start < order.count && scores[order[start]] == score
      wins += tiedPositives * (negativesBelow + tiedNegatives / 2)
      positives += tiedPositives
      negativesBelow += tiedNegatives
    }
    return positives > 0 && negativesBelow > 0 ? wins / (positives * negativesBelow) : .nan
  }
}
