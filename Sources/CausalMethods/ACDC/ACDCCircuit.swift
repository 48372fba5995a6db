// A published circuit with ACDC's edges.

/// A circuit as ACDC counts it.
public struct ACDCCircuit: Equatable, Sendable {
  /// The graph it is part of.
  public let acdc: ACDCGraph
  /// The edges of addition, by their numbers in `acdc.graph`.
  public let additions: Set<Int>
  /// The edges from heads' inputs to their q, k and v.
  public let computations: Set<ACDCEdge>

  /// A circuit of some edges of addition and, for each head named, of the inputs named.
  init(_ acdc: ACDCGraph, additions: Set<Int>, inputs: [(layer: Int, head: Int, input: HeadInput)]) {
    self.acdc = acdc
    self.additions = additions
    computations = Set(inputs.map { acdc.computation(of: $0.layer, $0.head, $0.input) })
  }

  /// The number of edges that count.
  public var edgeCount: Int { additions.count + computations.count }

  /// All edges that count.
  public var edges: Set<ACDCEdge> {
    computations.union(additions.map { [edges = acdc.graph.edges] in acdc.edge(for: edges[$0]) })
  }

  /// The edges of addition as a circuit of `acdc.graph`.
  public var circuit: Circuit {
    Circuit(acdc.graph, edges: (0..<acdc.graph.edgeCount).map { additions.contains($0) })
  }
}
