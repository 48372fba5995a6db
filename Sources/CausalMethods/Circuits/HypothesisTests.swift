// Three tests of what is claimed of a circuit (Shi et al. 2024, "Hypothesis Testing the Circuit Hypothesis in LLMs",
// arXiv 2410.13032, section 3), with their p-values.

import Tensors
import Transformers

/// What the tests found.
public struct CircuitTests: Sendable {
  /// Prompts on which the circuit scores higher than the model, and the prompts where the two differ.
  public var ahead: (successes: Int, trials: Int)
  /// Equivalence: the two-sided sign test of "ahead on half the prompts"; a small value says the two are not equivalent.
  public var equivalence: Double
  /// Independence: the permutation test of "what is left without the circuit says nothing of the model's own score"; a
  /// small value says that something of the task remains outside.
  public var independence: Double
  /// Minimality: for each edge tried, the p-value of "its loss changes the metric no more than nine in ten random edges
  /// do" (the binomial tail of its place among random edges that were added to the circuit and taken away again).
  public var minimality: [(edge: Int, change: Double, pValue: Double)]
  /// The level below which an edge counts as needed, after Bonferroni.
  public var minimalityLevel: Double

  /// Edges whose loss is not shown to matter more than that of nine in ten random ones.
  public var superfluous: [Int] {
    minimality.filter { $0.pValue > minimalityLevel }.map(\.edge)
  }
}

extension CircuitRunner {
  /// Tests a circuit.
  ///
  /// - Parameters:
  ///   - limit: how many of the circuit's edges are tried for minimality, drawn at random where it has more.
  ///   - references: how many random edges they are compared with.
  ///   - level: the error rate of the three tests.
  /// - Throws: as `values(of:by:)`.
  public mutating func test(
    _ circuit: Circuit, edges limit: Int = 50, references: Int = 100, level: Double = 0.05, seed: UInt64,
    progress: (Int, Int) -> Void = { _, _ in }
  ) throws -> CircuitTests {
    var generator = SeededGenerator(seed: seed, stream: "minimality")
    let inside = circuit.edges.indices.filter { circuit.edges[$0] }
    let outside = circuit.edges.indices.filter { !circuit.edges[$0] }
    let tried = drawn(inside, limit, &generator)
    let added = drawn(outside, references, &generator)
    let inflated = added.reduce(circuit) { $0.setting($1, to: true) }
    let circuits =
      [.whole(graph), circuit, circuit.complement, inflated] + tried.map { circuit.setting($0, to: false) }
      + added.map { inflated.setting($0, to: false) }
    let values = try values(of: circuits, by: [task.metric], progress: progress)[0]
    let (model, own, rest, large) = (values[0], values[1], values[2], values[3])
    let differing = zip(own, model).filter { abs($0 - $1) > 1e-9 }
    let successes = differing.count { $0 > $1 }
    func change(_ one: [Double], _ two: [Double]) -> Double {
      abs(zip(one, two).reduce(0) { $0 + $1.0 - $1.1 }) / Double(max(1, one.count))
    }
    let quantile = 0.9
    let random = added.indices.map { change(large, values[4 + tried.count + $0]) }
    let minimality = tried.enumerated().map { place, edge in
      let found = change(own, values[4 + place])
      let below = random.count { $0 < found }
      return (
        edge: edge, change: found,
        pValue: binomialTail(successes: below, trials: random.count, chance: quantile)
      )
    }
    return CircuitTests(
      ahead: (successes, differing.count),
      equivalence: signTest(successes: successes, trials: differing.count),
      independence: rest.count > 1 ? independenceTest(model, rest, seed: seed).pValue : 1,
      minimality: minimality, minimalityLevel: level / Double(max(1, tried.count)))
  }

  private func drawn(_ items: [Int], _ count: Int, _ generator: inout SeededGenerator) -> [Int] {
    var items = items
    for place in 0..<min(count, items.count) {
      items.swapAt(place, place + generator.index(below: items.count - place))
    }
    return Array(items.prefix(count)).sorted()
  }
}
