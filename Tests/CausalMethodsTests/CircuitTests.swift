// Choosing, pruning, storing and scoring circuits.

import Files
import Foundation
import TestSupport
import Tensors
import Testing

@testable import CausalMethods

@Suite struct CircuitChoiceTests {
  static func scores(_ graph: CircuitGraph, seed: UInt64) -> [Double] {
    var generator = SeededGenerator(seed: seed)
    return (0..<graph.edgeCount).map { _ in generator.normal() }
  }

  @Test func theTopIsTheLargest() {
    let graph = CircuitGraph(layers: 2, heads: 2)
    let scores = Self.scores(graph, seed: 1)
    for count in [0, 1, 7, graph.edgeCount] {
      let circuit = Circuit(graph, top: count, scores: scores)
      #expect(circuit.edgeCount == count)
      let inside = scores.indices.filter { circuit.edges[$0] }.map { abs(scores[$0]) }.min() ?? .infinity
      let outside = scores.indices.filter { !circuit.edges[$0] }.map { abs(scores[$0]) }.max() ?? 0
      #expect(inside >= outside)
    }
    let signed = Circuit(graph, top: 1, scores: [-5] + scores.dropFirst().map { abs($0) }, bySize: false)
    #expect(!signed.edges[0])
  }

  /// One edge at a time: the best into a node that is in, by looking at all of them.
  private func greedyByHand(_ graph: CircuitGraph, _ count: Int, _ scores: [Double]) -> [Bool] {
    let edges = graph.edges
    var isIn = [Bool](repeating: false, count: edges.count)
    var nodes: Set<GraphNode> = []
    for _ in 0..<count {
      let open = edges.indices.filter { index in
        !isIn[index] && edges[index].destination.node.map { nodes.contains($0) } ?? true
      }
      guard let best = open.max(by: { abs(scores[$0]) < abs(scores[$1]) }) else { break }
      isIn[best] = true
      nodes.insert(edges[best].source)
    }
    return isIn
  }

  @Test(arguments: GraphTests.small.indices)
  func greedyEqualsTheSearchByHand(index: Int) {
    let graph = GraphTests.small[index]
    let scores = Self.scores(graph, seed: UInt64(index))
    for count in [1, 2, 5, graph.edgeCount / 2, graph.edgeCount] {
      #expect(
        Circuit(graph, greedily: count, scores: scores).edges == greedyByHand(graph, count, scores),
        "\(count) edges of \(graph)")
    }
  }

  @Test(arguments: GraphTests.small.indices)
  func afterPruningEveryNodeIsFedAndFeeds(index: Int) {
    let graph = GraphTests.small[index]
    var generator = SeededGenerator(seed: UInt64(index))
    for share in [0.1, 0.3, 0.7] {
      let circuit = Circuit(graph, edges: (0..<graph.edgeCount).map { _ in generator.uniform() < share })
      let pruned = circuit.pruned()
      #expect(pruned.pruned() == pruned)
      let kept = graph.edges.indices.filter { pruned.edges[$0] }.map { graph.edges[$0] }
      #expect(zip(pruned.edges, circuit.edges).allSatisfy { !$0 || $1 })
      let feeding = Set(kept.map(\.source))
      let fed = Set(kept.compactMap(\.destination.node)).union([.input])
      #expect(feeding.isSubset(of: fed))
      #expect(fed.subtracting([.input]).isSubset(of: feeding))
    }
  }

  @Test func aCircuitOfNodesHasTheEdgesAmongThem() {
    let graph = CircuitGraph(layers: 2, heads: 2)
    let circuit = Circuit(graph, nodes: [.head(layer: 0, head: 1), .mlp(layer: 1)])
    let names = Set(graph.edges.indices.filter { circuit.edges[$0] }.map { graph.edges[$0].description })
    #expect(
      names == [
        "input->a0.h1<q>", "input->a0.h1<k>", "input->a0.h1<v>", "input->m1", "a0.h1->m1", "input->logits",
        "a0.h1->logits", "m1->logits",
      ])
  }

  @Test func areasUnderTheCurve() throws {
    let curve = FaithfulnessCurve(shares: [0.001, 0.501, 1], faithfulness: [0, 1, 1.2])
    #expect(abs(curve.cpr - (0.5 * 0.5 + 0.499 * 1.1)) < 1e-12)
    #expect(abs(curve.cmd - (0.5 * 0.5 + 0.499 * 0.1)) < 1e-12)
    let scaled = try FaithfulnessCurve(
      shares: [0.1, 1], metrics: [3, 5], whole: 5, empty: 1, metric: .logitDifference)
    #expect(scaled.faithfulness == [0.5, 1])
    #expect(throws: CausalError.noDifference(metric: "kl", value: 2)) {
      try FaithfulnessCurve(shares: [1], metrics: [2], whole: 2, empty: 2, metric: .divergence)
    }
  }
}

@Suite struct CircuitFileTests {
  @Test func aCircuitComesBackAsItWasWritten() throws {
    let graph = CircuitGraph(layers: 2, heads: 3, isParallel: true)
    let scores = CircuitChoiceTests.scores(graph, seed: 3)
    let circuit = Circuit(graph, top: 9, scores: scores).pruned()
    let nodes = (0..<graph.sourceCount).map { Double($0) / 7 }
    try withTemporaryFolder { folder in
      let path = folder + "/circuit.json"
      try ScoredCircuit(
        circuit, edgeScores: scores, nodeScores: nodes, dModel: 24,
        provenance: [JSONMember("task", .string("t"))]
      ).write(to: path)
      let again = try ScoredCircuit(path: path, graph: graph)
      #expect(again.circuit == circuit)
      #expect(again.edgeScores == scores)
      #expect(again.nodeScores == nodes)
      #expect(again.dModel == 24)
      #expect(again.nodes == Set(circuit.sources.map { graph.source($0) }))
      #expect(again.provenance == [JSONMember("task", .string("t"))])
      let other = CircuitGraph(layers: 2, heads: 4)
      #expect(throws: CausalError.otherModel(path: path, found: graph, expected: other)) {
        try ScoredCircuit(path: path, graph: other)
      }
    }
  }

  @Test(
    arguments: [
      ("{", "line 1, column 2: a name or '}' is needed here"),
      ("{\"nodes\": {}}", "it needs \"cfg\", \"nodes\" and \"edges\""),
      ("{\"cfg\": {}, \"nodes\": {}, \"edges\": {}}", "its \"cfg\" lacks n_layers or n_heads"),
      (
        "{\"cfg\": {\"n_layers\": 1, \"n_heads\": 1}, \"nodes\": {\"m0\": {}}, \"edges\": {\"x\": {}}}",
        "'x' is not the name of an edge"
      ),
      (
        "{\"cfg\": {\"n_layers\": 1, \"n_heads\": 1}, \"nodes\": {\"m0\": {}}, \"edges\": {\"input->m0\": {}}}",
        "edge 'input->m0' does not say whether it is \"in_graph\""
      ),
    ])
  func filesThatAreNoCircuits(text: String, problem: String) throws {
    try withTemporaryFolder { folder in
      let path = folder + "/c.json"
      try text.write(toFile: path, atomically: true, encoding: .utf8)
      let error = #expect(throws: CausalError.self) {
        try ScoredCircuit(path: path, graph: CircuitGraph(layers: 1, heads: 1))
      }
      guard case .badCircuit(_, let found) = error else { return #expect(Bool(false), "\(error as Any)") }
      #expect(text == "{" || found == problem)
    }
  }
}
