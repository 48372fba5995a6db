// Files and choices of EAP-IG's own code (Golden/eap_ig.py, EAP-IG at 795f560), read and made again.

import CausalMethods
import Files
import Foundation
import TestSupport
import Testing

@Suite struct PublishedFileTests {
  static func path(_ name: String) -> String {
    packageFolder + "/Tests/CausalMethodsTests/Golden/" + name
  }

  @Test func bothFormsSayTheSame() throws {
    let graph = CircuitGraph(layers: 2, heads: 2)
    let json = try ScoredCircuit(path: Self.path("eap-ig-circuit.json"), graph: graph)
    let tensors = try ScoredCircuit(path: Self.path("eap-ig-circuit.pt"), graph: graph)
    #expect(json.circuit == tensors.circuit)
    let scores = try #require(json.edgeScores)
    #expect(zip(scores, tensors.edgeScores ?? []).allSatisfy { abs($0 - $1) < 1e-6 })
    #expect(json.circuit == Circuit(graph, greedily: 9, scores: scores).pruned())
    #expect(json.dModel == 8 && tensors.dModel == 8)
  }

  @Test func nodeScoresOfATensorFile() throws {
    let graph = CircuitGraph(layers: 2, heads: 2, isParallel: true)
    let file = try ScoredCircuit(path: Self.path("eap-ig-nodes.pt"), graph: graph)
    #expect(file.nodeScores?.count == graph.sourceCount && file.nodeScores?[0] == 0)
  }

  @Test(arguments: [("eap-ig-neurons.pt", 1, 1), ("eap-ig-incomplete.pt", 2, 2)])
  func filesThatCannotBeRun(name: String, layers: Int, heads: Int) throws {
    #expect(throws: CausalError.self) {
      try ScoredCircuit(path: Self.path(name), graph: CircuitGraph(layers: layers, heads: heads))
    }
  }

  @Test func choicesEqualTheirs() throws {
    let golden = try JSONValue(parsing: readText(at: Self.path("eap-ig.json")))
    var compared = 0
    for entry in golden["selections"]?.elements ?? [] {
      let cfg = try #require(entry["cfg"])
      let graph = CircuitGraph(
        layers: try #require(cfg["n_layers"]?.wholeNumber), heads: try #require(cfg["n_heads"]?.wholeNumber),
        isParallel: cfg["parallel_attn_mlp"]?.truth == true)
      let byName = Dictionary(
        uniqueKeysWithValues: (entry["scores"]?.members ?? []).map { ($0.key, $0.value.anyNumber ?? 0) })
      let scores = graph.edges.map { byName[$0.description] ?? .nan }
      for row in entry["edges"]?.elements ?? [] {
        let count = try #require(row["count"]?.wholeNumber)
        let bySize = row["order"]?.text == "magnitude"
        let circuit =
          (row["selection"]?.text == "greedy"
          ? Circuit(graph, greedily: count, scores: scores, bySize: bySize)
          : Circuit(graph, top: count, scores: scores, bySize: bySize)).pruned()
        let found = Set(graph.edges.indices.filter { circuit.edges[$0] }.map { graph.edges[$0].description })
        #expect(found == Set(row["edges"]?.elements?.compactMap(\.text) ?? []), "\(row.line.prefix(60))")
        compared += 1
      }
    }
    #expect(compared == 40)
  }

  @Test func areasEqualTheirs() throws {
    let golden = try JSONValue(parsing: readText(at: Self.path("eap-ig.json")))
    for row in golden["areas"]?.elements ?? [] where row["log"]?.truth == false {
      let curve = FaithfulnessCurve(
        shares: circuitShares, faithfulness: row["faithfulness"]?.elements?.compactMap(\.anyNumber) ?? [])
      #expect(abs(curve.cpr - (row["cpr"]?.anyNumber ?? .nan)) < 1e-12)
      #expect(abs(curve.cmd - (row["cmd"]?.anyNumber ?? .nan)) < 1e-12)
    }
  }
}
