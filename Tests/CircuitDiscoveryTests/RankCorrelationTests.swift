// Spearman's correlation on small cases worked out by hand.

import CausalMethods
import CircuitDiscovery
import Testing

@Suite struct RankCorrelationTests {
  @Test func knownCases() throws {
    #expect(rankCorrelation([1, 2, 3], [10, 100, 1000]) == 1)
    #expect(rankCorrelation([1, 2, 3], [3, 2, 1]) == -1)
    // 1 − 6 Σ d² / n(n² − 1) where nothing ties: d = (0, −1, 1, 0), so 1 − 12 / 60.
    #expect(abs(try #require(rankCorrelation([1, 2, 3, 4], [1, 3, 2, 4])) - 0.8) < 1e-15)
    // Ranks 1, 2.5, 2.5, 4 beside 1, 2, 3, 4: covariance 4.5, squares 4.5 and 5.
    let tied = try #require(rankCorrelation([0, 7, 7, 9], [1, 2, 3, 4]))
    #expect(abs(tied - 4.5 / 22.5.squareRoot()) < 1e-15)
    #expect(rankCorrelation([1, 1, 1], [1, 2, 3]) == nil)
  }
}
