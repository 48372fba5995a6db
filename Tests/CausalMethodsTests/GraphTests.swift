// The graph: counts known from publications, names, and what each reader is fed by, on every small graph.

import CausalMethods
import Testing

@Suite struct GraphTests {
  static let small: [CircuitGraph] = (1...3).flatMap { layers in
    (1...3).flatMap { heads in
      [true, false].flatMap { mlps in
        [true, false].map { CircuitGraph(layers: layers, heads: heads, hasMLPs: mlps, isParallel: $0) }
      }
    }
  }

  @Test func publishedCounts() {
    let gpt2 = CircuitGraph(layers: 12, heads: 12)
    #expect(gpt2.edgeCount == 32_491)
    #expect(gpt2.nodeCount == 158)
    #expect(gpt2.destinationCount == 12 * 37 + 1)
    #expect(ACDCGraph(layers: 12, heads: 12).edgeCount == 32_923)
    let attentionOnly = CircuitGraph(layers: 4, heads: 8, hasMLPs: false)
    #expect(attentionOnly.edgeCount == 1281)
    #expect(ACDCGraph(layers: 4, heads: 8, hasMLPs: false).edgeCount == 1377)
  }

  @Test func numbersAndNamesGoBothWays() throws {
    for graph in Self.small {
      #expect(graph.edges.count == graph.edgeCount)
      #expect(graph.edgeOffsets.last == graph.edgeCount)
      for index in 0..<graph.sourceCount {
        let node = graph.source(index)
        #expect(graph.sourceIndex(of: node) == index)
        #expect(GraphNode(node.description) == node)
      }
      for index in 0..<graph.destinationCount {
        let reader = graph.destination(index)
        #expect(graph.destinationIndex(of: reader) == index)
        #expect(GraphDestination(reader.description) == reader)
      }
      for (index, edge) in graph.edges.enumerated() {
        #expect(GraphEdge(edge.description) == edge)
        let (source, reader) = try graph.numbers(of: edge)
        #expect(graph.edgeOffsets[reader] + source == index)
      }
    }
  }

  /// When each writer has written and each reader reads, by the order of a block.
  private func time(_ source: GraphNode, _ graph: CircuitGraph) -> Double {
    switch source {
    case .input: -1
    case .head(let layer, _): Double(layer) + (graph.isParallel ? 0.9 : 0.3)
    case .mlp(let layer): Double(layer) + 0.9
    }
  }

  private func time(_ reader: GraphDestination, _ graph: CircuitGraph) -> Double {
    switch reader {
    case .head(let layer, _, _): Double(layer) + 0.1
    case .mlp(let layer): Double(layer) + (graph.isParallel ? 0.1 : 0.5)
    case .logits: .infinity
    }
  }

  @Test func aReaderIsFedByAllThatWroteBefore() {
    for graph in Self.small {
      let edges = Set(graph.edges)
      for source in (0..<graph.sourceCount).map({ graph.source($0) }) {
        for reader in (0..<graph.destinationCount).map({ graph.destination($0) }) {
          #expect(
            edges.contains(GraphEdge(source, reader)) == (time(source, graph) < time(reader, graph)),
            "\(source) -> \(reader) in \(graph)")
        }
      }
    }
  }

  @Test(arguments: ["", "a1", "a1.h", "a-1.h0", "a01.h0", "m", "m1.h1", "x", "a1.h2<x>", "a1.h2>", "input2"])
  func otherNamesAreNone(name: String) {
    #expect(GraphNode(name) == nil)
    #expect(GraphDestination(name) == nil)
  }

  @Test func edgesThatAModelLacks() {
    let graph = CircuitGraph(layers: 2, heads: 2)
    for name in ["a1.h0->a0.h0<q>", "a1.h1->a1.h0<k>", "m1->m1", "a2.h0->logits", "a0.h5->logits"] {
      let edge = GraphEdge(name)
      #expect(edge != nil)
      if let edge {
        #expect(throws: CausalError.absentEdge(name, graph: graph)) { try graph.numbers(of: edge) }
      }
    }
  }
}
