// Counts, pairs, ties and ranks against plain counting.

import CircuitDiscovery
import Tensors
import Testing

@Suite struct RankingTests {
  /// Random codes from −1 up, few of them, so that everything collides.
  static func codes(examples: Int, heads: Int, features: Int, seed: UInt64) -> HeadCodes {
    var generator = SeededGenerator(seed: seed)
    return HeadCodes(
      (0..<examples * heads).map { _ in Int32(generator.index(below: features + 1)) - 1 }, heads: heads)
  }

  @Test(arguments: 0..<20)
  func pairsAreCountedAsSets(seed: UInt64) {
    let codes = Self.codes(examples: 23, heads: 7, features: 1 + Int(seed % 6), seed: seed)
    let labels = (0..<23).map { ($0 * 7 + Int(seed)) % 3 != 0 }
    let pairs = PairScores(codes, labels: labels)
    for i in 0..<7 {
      for j in 0..<7 where i != j {
        func shown(_ label: Bool) -> Set<[Int32]> {
          Set(
            (0..<23).filter { labels[$0] == label && codes[$0, i] >= 0 && codes[$0, j] >= 0 }
              .map { [codes[$0, i], codes[$0, j]] })
        }
        let (positive, negative) = (shown(true), shown(false))
        let unique = positive.subtracting(negative).count
        #expect(pairs.score(i, j) == Double(unique))
        let total = positive.count + negative.count
        #expect(pairs.score(i, j, normalised: true) == (total == 0 ? 0 : Double(unique) / Double(total)))
      }
    }
  }

  @Test func countsLeaveOutWhatIsNoCode() {
    let codes = HeadCodes([3, -1, 3, 5, 4, -1, 3, -1], heads: 2)
    let counts = codeCounts(codes, labels: [true, true, true, false])
    #expect(counts[0] == CodeCounts(uniqueToPositive: 1, uniqueToNegative: 0, distinct: 2))
    #expect(counts[1] == CodeCounts(uniqueToPositive: 1, uniqueToNegative: 0, distinct: 1))
    #expect(counts[0].score(normalised: true) == 0.5)
  }

  @Test func equalScoresShareARank() {
    let codes = HeadCodes([0, 0, 0, 0, 1, 1, 1, 1], heads: 4)
    let ranking = HeadRanking(
      scores: [1, 2, 2, 0.5], counts: codeCounts(codes, labels: [true, false]),
      pairScores: PairScores(codes, labels: [true, false]).all(normalised: false), headsPerLayer: 2,
      protocol: .paper)
    #expect(ranking.heads.map(\.rank) == [1, 1, 3, 4])
    #expect(ranking.heads.map { [$0.layer, $0.head] } == [[0, 1], [1, 0], [0, 0], [1, 1]])
    let total = ranking.heads.map(\.probability).reduce(0, +)
    #expect(abs(total - 1) < 1e-12)
    #expect(ranking.scores == [1, 2, 2, 0.5])
    #expect(ranking.pairs.count == 6)
    #expect(ranking.pairs.allSatisfy { $0.rank == 1 })
  }

  @Test func sharedMentionsDoNotDependOnOrder() {
    // Three heads; the pairs (0,1) and (0,2) tie for the two best of 9 ordered pairs, and four mentions are left.
    let mentions = headMentions(heads: 3, ties: .shared) { i, j in i == 0 || j == 0 ? 1 : 0 }
    #expect(mentions == [2, 1, 1])
    #expect(headMentions(heads: 3, ties: .laterFirst) { i, j in i == 0 || j == 0 ? 1 : 0 } == [2, 1, 1])
  }

  /// 500 examples, 144 heads, 200 codes: the bound is generous, for machines that are busy.
  @Test func pairScoresAreFast() {
    let codes = Self.codes(examples: 500, heads: 144, features: 200, seed: 1)
    let labels = (0..<500).map { $0 < 250 }
    let elapsed = ContinuousClock().measure {
      #expect(PairScores(codes, labels: labels).unique.count == 144 * 143 / 2)
    }
    print("pair scores of 500 × 144 codes took", elapsed)
    #expect(elapsed < .seconds(2))
  }
}
