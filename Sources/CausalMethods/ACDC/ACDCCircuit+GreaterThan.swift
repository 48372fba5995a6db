// The greater-than circuit as ACDC draws it: 262 edges by rules from groups of nodes.
//
// Source: Hanna et al. 2023 (the circuit); Conmy et al. 2023, public code (its edges).

extension ACDCCircuit {
  /// The circuit in GPT-2 small.
  ///
  /// Five groups: early heads 0.3 and 0.5, head 0.1, MLPs 0–3, middle heads, MLPs 8–11. The first three read the
  /// embedding; the last two write to the output; MLPs of a group feed the later ones of it. Besides, all MLPs up to the
  /// last middle head's layer feed one another, and the queries of later middle heads.
  public static var greaterThan: ACDCCircuit {
    let acdc = ACDCGraph(layers: 12, heads: 12)
    let early = nodes([(0, 3), (0, 5)])
    let first = nodes([(0, 1)])
    let earlyMLPs = (0...3).map { GraphNode.mlp(layer: $0) }
    let middle = nodes([(5, 5), (6, 1), (6, 9), (7, 10), (8, 11), (9, 1)])
    let lateMLPs = (8...11).map { GraphNode.mlp(layer: $0) }
    let fed: [(from: [GraphNode], to: [GraphDestination])] = [
      ([.input], readers(early + first + earlyMLPs)), (first, readers(earlyMLPs + middle)),
      (early, readers(middle)), (earlyMLPs, readers(middle)), (middle, readers(lateMLPs)),
      (middle + lateMLPs, [.logits]), (earlyMLPs, readers(earlyMLPs)), (lateMLPs, readers(lateMLPs)),
    ]
    var additions: Set<Int> = []
    // Of all pairs the graph keeps those in which the source comes first.
    for (sources, destinations) in fed {
      for source in sources {
        additions.formUnion(destinations.compactMap { acdc.graph.edgeNumber(of: GraphEdge(source, $0)) })
      }
    }
    for layer in 0..<9 {
      let mlp = GraphNode.mlp(layer: layer)
      let readers =
        (0..<9).map { GraphDestination.mlp(layer: $0) }
        + middle.compactMap { node in
          if case .head(let layer, let head) = node {
            .head(layer: layer, head: head, .queries)
          } else {
            nil
          }
        }
      additions.formUnion(readers.compactMap { acdc.graph.edgeNumber(of: GraphEdge(mlp, $0)) })
    }
    let inputs = (early + first + middle).flatMap { node in
      HeadInput.allCases.compactMap { input -> (layer: Int, head: Int, input: HeadInput)? in
        if case .head(let layer, let head) = node { (layer, head, input) } else { nil }
      }
    }
    return ACDCCircuit(acdc, additions: additions, inputs: inputs)
  }

  /// Where nodes read the stream.
  private static func readers(_ nodes: [GraphNode]) -> [GraphDestination] {
    nodes.flatMap { node -> [GraphDestination] in
      switch node {
      case .input: []
      case .head(let layer, let head): HeadInput.allCases.map { .head(layer: layer, head: head, $0) }
      case .mlp(let layer): [.mlp(layer: layer)]
      }
    }
  }

  private static func nodes(_ heads: [(Int, Int)]) -> [GraphNode] {
    heads.map { GraphNode.head(layer: $0.0, head: $0.1) }
  }
}
