// Tests and intervals on cases worked out by hand, and on data whose answer is known.

import Tensors
import Testing

@testable import CausalMethods

@Suite struct StatisticsTests {
  @Test func signTestIsTheExactBinomial() {
    #expect(signTest(successes: 0, trials: 0) == 1)
    #expect(abs(signTest(successes: 5, trials: 5) - 2.0 / 32) < 1e-12)
    #expect(abs(signTest(successes: 1, trials: 5) - 12.0 / 32) < 1e-12)
    #expect(abs(signTest(successes: 5, trials: 10) - 1) < 1e-12)
    #expect(abs(signTest(successes: 2, trials: 10) - 112.0 / 1024) < 1e-12)
  }

  @Test func binomialTails() {
    #expect(abs(binomialTail(successes: 0, trials: 4, chance: 0.3) - 1) < 1e-12)
    #expect(abs(binomialTail(successes: 4, trials: 4, chance: 0.5) - 1.0 / 16) < 1e-12)
    #expect(abs(binomialTail(successes: 3, trials: 4, chance: 0.9) - 0.9477) < 1e-12)
  }

  @Test func dependenceIsFoundWhereThereIsSome() {
    var generator = SeededGenerator(seed: 2)
    let x = (0..<60).map { _ in generator.normal() }
    let noise = (0..<60).map { _ in generator.normal() }
    // A parabola: no correlation, all dependence.
    #expect(independenceTest(x, x.map { $0 * $0 }, seed: 1).pValue < 0.01)
    #expect(independenceTest(x, noise, seed: 1).pValue > 0.05)
    #expect(independenceTest(x, noise, seed: 1) == independenceTest(x, noise, seed: 1))
  }

  @Test func pValuesUnderIndependenceAreSpreadEvenly() {
    var generator = SeededGenerator(seed: 5)
    var small = 0
    for trial in 0..<60 {
      let x = (0..<20).map { _ in generator.normal() }
      let y = (0..<20).map { _ in generator.normal() }
      if independenceTest(x, y, permutations: 99, seed: UInt64(trial)).pValue <= 0.1 { small += 1 }
    }
    // 6 of 60 are expected; more than 14 has a chance below 1 in 1,000.
    #expect(small <= 14)
  }

  @Test func drawsGiveIntervalsAndSteadiness() {
    let scores: [[Float]] = (0..<40).map { prompt in [10, -8, Float(prompt % 2), 0.1] }
    let draws = PromptDraws(prompts: 40, seed: 3)
    let means = draws.means(scores)
    let intervals = draws.intervals(means)
    #expect(intervals[0] == 10...10 || abs(intervals[0].lowerBound - 10) < 1e-5)
    #expect(intervals[2].contains(0.5) && intervals[2].lowerBound > 0.25 && intervals[2].upperBound < 0.75)
    let stability = draws.topStability(means, k: 2)
    #expect(stability.jaccard == 1)
    #expect(stability.inTop.map { ($0 * 100).rounded() } == [100, 100, 0, 0])
  }
}
