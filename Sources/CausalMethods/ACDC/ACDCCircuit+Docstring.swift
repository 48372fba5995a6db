// The docstring circuit of attn-only-4l as ACDC draws it: 37 edges.
//
// Source: Heimersheim & Janiak 2023 (the circuit); Conmy et al. 2023, public code (its edges).

extension ACDCCircuit {
  /// The circuit in the attention-only model of four layers with eight heads each.
  ///
  /// What each input of the circuit's heads reads is listed; each input that reads anything counts one more edge, to
  /// what is computed from it.
  public static var docstring: ACDCCircuit {
    let acdc = ACDCGraph(layers: 4, heads: 8, hasMLPs: false)
    let (input, previous) = (GraphNode.input, GraphNode.head(layer: 0, head: 5))
    let (definitions, arguments) = (GraphNode.head(layer: 1, head: 2), GraphNode.head(layer: 1, head: 4))
    let induction = GraphNode.head(layer: 2, head: 0)
    typealias Reading = (layer: Int, head: Int, input: HeadInput, sources: [GraphNode])
    var readings: [Reading] = [
      (0, 5, .values, [input]),
      (1, 2, .queries, [input, previous]), (1, 2, .keys, [input, previous]),
      (1, 4, .values, [input, previous]),
      (2, 0, .queries, [input, previous]), (2, 0, .keys, [input, previous]), (2, 0, .values, [arguments]),
    ]
    for mover in [0, 6] {
      readings += [
        (3, mover, .queries, [arguments]), (3, mover, .keys, [induction, definitions]),
        (3, mover, .values, [input, previous]),
      ]
    }
    var edges = readings.flatMap { reading in
      reading.sources.map { source in
        GraphEdge(source, .head(layer: reading.layer, head: reading.head, reading.input))
      }
    }
    edges += [0, 6].map { GraphEdge(.head(layer: 3, head: $0), .logits) }
    return ACDCCircuit(
      acdc, additions: Set(edges.compactMap { acdc.graph.edgeNumber(of: $0) }),
      inputs: readings.map { ($0.layer, $0.head, $0.input) })
  }
}
