// ACDC's graphs and circuits beside Golden/acdc-edges.json, made by Golden/acdc_edges.py with ACDC's public code.

import CausalMethods
import Files
import Foundation
import TestSupport
import Testing

@Suite struct ACDCTests {
  struct Golden: Decodable {
    var edges: Int
    var sha256: String
  }

  static func golden(_ name: String) throws -> Golden {
    let path = packageFolder + "/Tests/CausalMethodsTests/Golden/acdc-edges.json"
    let all = try JSONDecoder().decode(
      [String: Golden].self, from: Data(contentsOf: URL(fileURLWithPath: path)))
    return try #require(all[name])
  }

  static func digest(_ edges: some Sequence<ACDCEdge>) -> String {
    sha256(of: edges.map(\.description).sorted().joined(separator: "\n"))
  }

  @Test func graphsEqualACDCs() throws {
    for (name, graph, count) in [
      ("gpt2-small", ACDCGraph(layers: 12, heads: 12), 32_923),
      ("attn-only-4l", ACDCGraph(layers: 4, heads: 8, hasMLPs: false), 1_377),
    ] {
      let golden = try Self.golden(name)
      #expect(golden.edges == count && graph.edgeCount == count && graph.edges.count == count)
      #expect(Self.digest(graph.edges) == golden.sha256, "\(name)")
      #expect(graph.edges.allSatisfy { $0.kind != .placeholder })
      #expect(graph.placeholders.allSatisfy { $0.kind == .placeholder })
    }
    #expect(ACDCGraph(layers: 12, heads: 12).placeholders.count == 3 * 144 + 12)
  }

  @Test func circuitsEqualACDCs() throws {
    for (name, circuit, count) in [
      ("ioi", ACDCCircuit.ioi, 1_041), ("greater-than", .greaterThan, 262), ("docstring", .docstring, 37),
    ] {
      let golden = try Self.golden(name)
      #expect(golden.edges == count && circuit.edgeCount == count, "\(name): \(circuit.edgeCount)")
      #expect(Self.digest(circuit.edges) == golden.sha256, "\(name)")
      #expect(circuit.circuit.edgeCount == circuit.additions.count)
      #expect(circuit.circuit.pruned() == circuit.circuit, "\(name) has loose ends")
    }
  }

  @Test func ioiHas26Heads() {
    let heads = ACDCCircuit.IOIRole.allCases.flatMap(\.heads)
    #expect(heads.count == 26)
    #expect(ACDCCircuit.ioi.circuit.sources.count == 1 + 26 + 12)
  }
}
