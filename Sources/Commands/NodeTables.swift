// Scores of nodes and edges as tables and pictures.

import CausalMethods
import Files
import Reports

/// nodes.csv, edges.csv and the heat map of heads.
enum NodeTable {
  /// node, kind, layer, head, score, score_low, score_high, in_top, rank (by size).
  static func document(_ summary: AttributionSummary, _ graph: CircuitGraph) -> CSVDocument {
    var document = CSVDocument(
      header: ["node", "kind", "layer", "head", "score", "score_low", "score_high", "in_top", "rank"])
    let ranks = ranks(summary.nodes.map(\.score))
    for (index, item) in summary.nodes.enumerated() {
      let (kind, layer, head): (String, CSVCell, CSVCell) =
        switch graph.source(index) {
        case .input: ("input", .empty, .empty)
        case .head(let layer, let head): ("head", .integer(layer), .integer(head))
        case .mlp(let layer): ("mlp", .integer(layer), .empty)
        }
      document.append([
        .text(item.name), .text(kind), layer, head, .number(item.score), .number(item.interval.lowerBound),
        .number(item.interval.upperBound), .number(item.inTop), .integer(ranks[index]),
      ])
    }
    return document
  }

  /// source, destination, score, score_low, score_high, in_top, in_circuit.
  static func edges(_ edges: [ScoredItem], _ circuit: Circuit) -> CSVDocument {
    var document = CSVDocument(
      header: ["source", "destination", "score", "score_low", "score_high", "in_top", "in_circuit"])
    for (index, item) in edges.enumerated() {
      let ends = item.name.split(separator: ">", maxSplits: 1).map(String.init)
      document.append([
        .text(String(ends[0].dropLast())), .text(ends.count > 1 ? ends[1] : ""), .number(item.score),
        .number(item.interval.lowerBound), .number(item.interval.upperBound), .number(item.inTop),
        .boolean(circuit.edges[index]),
      ])
    }
    return document
  }

  /// Layers down, heads across, MLPs behind them.
  static func heatMap(_ scores: [Double?], _ graph: CircuitGraph, title: String) -> HeatMap {
    let columns = (0..<graph.heads).map { "\($0)" } + (graph.hasMLPs ? ["MLP"] : [])
    return HeatMap(
      title: title, rowTitle: "layer", columnTitle: "head", rows: (0..<graph.layers).map { "\($0)" },
      columns: columns,
      values: (0..<graph.layers).map { layer in
        (0..<graph.heads).map {
          graph.sourceIndex(of: .head(layer: layer, head: $0))
            .flatMap { scores[$0] }
        }
          + (graph.hasMLPs ? [graph.sourceIndex(of: .mlp(layer: layer)).flatMap { scores[$0] }] : [])
      })
  }

  /// Ranks by size, the largest first, from 1.
  static func ranks(_ scores: [Double]) -> [Int] {
    var ranks = [Int](repeating: 0, count: scores.count)
    let order = scores.indices.sorted {
      abs(scores[$0]) != abs(scores[$1]) ? abs(scores[$0]) > abs(scores[$1]) : $0 < $1
    }
    for (rank, index) in order.enumerated() { ranks[index] = rank + 1 }
    return ranks
  }
}
