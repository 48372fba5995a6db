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
    if let drawing = result.table("edges").flatMap({ CircuitDrawing(edges: $0).html }) {
      sections.append(ReportPage.Section("The circuit", [drawing]))
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
    return figure(map, caption: "Blue: the answer suffers where this is replaced. Orange: it gains.")
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
}
