// A circuit as a graph, from edges.csv.

import Reports

/// Edges of a circuit as they are drawn: queries, keys and values of a head are one node.
struct CircuitDrawing {
  let edges: CSVRows

  /// The strongest edges in the circuit; nil where there are none.
  var graph: LayeredGraph? {
    var joined: [String: LayeredGraph.Edge] = [:]
    for row in edges.rows.indices where edges.text(row, "in_circuit") == "true" {
      let from = edges.text(row, "source")
      let whole = edges.text(row, "destination")
      let to = whole.split(separator: "<").first.map(String.init) ?? whole
      let role = whole.hasSuffix(">") ? String(whole.dropLast().suffix(1)) : ""
      let weight = edges.number(row, "score") ?? 0
      var edge = joined[from + ">" + to] ?? LayeredGraph.Edge(from: from, to: to, weight: 0)
      edge.weight += weight
      if !role.isEmpty { edge.label += (edge.label.isEmpty ? "" : ", ") + role }
      joined[from + ">" + to] = edge
    }
    guard !joined.isEmpty else { return nil }
    let strongest = joined.values.sorted { abs($0.weight) > abs($1.weight) }.prefix(300)
    let names = Set(strongest.flatMap { [$0.from, $0.to] })
    return LayeredGraph(
      title: "The \(strongest.count) strongest edges of the circuit",
      nodes: names.sorted().map { LayeredGraph.Node($0, row: Self.row($0)) }, edges: Array(strongest))
  }

  /// The graph with its slider and what its colours mean.
  var html: HTML? {
    graph.map {
      adjustableGraph(
        $0.orderedByGraphviz(), id: "circuit", shown: 40,
        caption:
          "Edges from writers to readers, layer by layer from the bottom; orange raises the answer where it is replaced, blue "
          + "lowers it. Edges from one node to the queries, keys and values of a head are drawn together.")
    }
  }

  /// input at the bottom, each layer's heads below its MLP, the logits on top.
  private static func row(_ name: String) -> Int {
    if name == "input" { return 0 }
    if name == "logits" { return .max }
    let layer = Int(name.dropFirst().prefix { $0.isNumber }) ?? 0
    return 1 + 2 * layer + (name.hasPrefix("m") ? 1 : 0)
  }
}
