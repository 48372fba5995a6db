// The page of headlamp attribute: nodes, edges and the circuit they make.

import CausalMethods
import Files
import Reports

/// A page about scores of nodes and edges.
struct AttributionPage {
  let result: SavedResult
  let nodes: CSVRows

  init?(_ result: SavedResult) {
    guard let nodes = result.table("nodes"), nodes.place(of: "node") != nil else { return nil }
    self.result = result
    self.nodes = nodes
  }

  var page: ReportPage {
    let task = result.fact("task") ?? "a task"
    let method = result.fact("method") ?? "attribution"
    var sections = [ReportPage.Section("Heads and MLPs", [map, nodeTable])]
    if let graph = circuit {
      let caption =
        "Edges from writers to readers, layer by layer from the bottom; orange raises the answer where it is replaced, blue "
        + "lowers it. Edges from one node to the queries, keys and values of a head are drawn together."
      sections.append(
        ReportPage.Section(
          "The circuit", [adjustableGraph(graph, id: "circuit", shown: 40, caption: caption)]))
    }
    if let edges = result.table("edges") {
      sections.append(
        ReportPage.Section(
          "Edges",
          [sorted(edges).dataTable(id: "edges", caption: "Edges, the largest first", limit: 300).html]))
    }
    sections.append(ReportPage.Section("Where this comes from", [result.provenance]))
    return ReportPage(
      title: "What carries \(task)? — \(method)",
      lead: [
        "A score is the change of the metric where a node's output, or an edge's part of it, is replaced: negative where the "
          + "answer would suffer."
      ], sections: sections)
  }

  private var map: HTML {
    var values: [Int: [String: Double]] = [:]
    var columns: [String] = []
    for row in nodes.rows.indices {
      guard let layer = Int(nodes.text(row, "layer")), let score = nodes.number(row, "score") else {
        continue
      }
      let column = nodes.text(row, "kind") == "mlp" ? "MLP" : nodes.text(row, "head")
      if !columns.contains(column) { columns.append(column) }
      values[layer, default: [:]][column] = score
    }
    columns.sort { (Int($0) ?? .max) < (Int($1) ?? .max) }
    let layers = values.keys.sorted()
    let map = HeatMap(
      title: "Score of each head and MLP", rowTitle: "layer", columnTitle: "head",
      rows: layers.map(String.init),
      columns: columns, values: layers.map { layer in columns.map { values[layer]?[$0] } })
    return figure(map.svg, caption: "Blue: the answer suffers where this is replaced. Orange: it gains.")
  }

  private var nodeTable: HTML {
    sorted(nodes).dataTable(
      id: "nodes", caption: "All nodes, the largest first",
      columns: ["rank", "node", "score", "score_low", "score_high", "in_top"]
    ).html
  }

  private func sorted(_ table: CSVRows) -> CSVRows {
    let order = table.rows.indices.sorted {
      abs(table.number($0, "score") ?? 0) > abs(table.number($1, "score") ?? 0)
    }
    return CSVRows(header: table.header, rows: order.map { table.rows[$0] })
  }

  /// The edges in the circuit; queries, keys and values of a head are one node here.
  private var circuit: LayeredGraph? {
    guard let edges = result.table("edges") else { return nil }
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

  /// input at the bottom, each layer's heads below its MLP, the logits on top.
  private static func row(_ name: String) -> Int {
    if name == "input" { return 0 }
    if name == "logits" { return .max }
    let layer = Int(name.dropFirst().prefix { $0.isNumber }) ?? 0
    return 1 + 2 * layer + (name.hasPrefix("m") ? 1 : 0)
  }
}
