// Scores of nodes and edges as rows of a table.

import Tensors

/// One node's or edge's score with its interval.
public struct ScoredItem: Sendable {
  /// The name: `a3.h1`, or `a3.h1->m4`.
  public var name: String
  /// The mean over prompts.
  public var score: Double
  /// The 95 % bootstrap interval of the mean over prompts.
  public var interval: ClosedRange<Double>
  /// The share of redrawn sets of prompts in which it is among the largest; see `AttributionSummary.top`.
  public var inTop: Double
}

/// What is reported of an attribution.
public struct AttributionSummary: Sendable {
  /// Writers, in their order.
  public var nodes: [ScoredItem]
  /// Edges, reader by reader; nil for methods that score nodes.
  public var edges: [ScoredItem]?
  /// How many items count as the largest.
  public var top: Int
  /// Mean Jaccard similarity of the largest items of two redrawn sets of prompts.
  public var topJaccard: Double

  /// The figures of a result.
  ///
  /// Writers' scores of an edge method are the sums over the edges that leave them.
  /// - Parameter seed: of the redrawn prompts.
  public init(_ result: AttributionResult, top: Int = 10, draws: Int = 200, seed: UInt64) {
    let graph = result.graph
    self.top = top
    let prompts = result.nodes?.count ?? result.edges?.count ?? 0
    let redrawn = PromptDraws(prompts: max(1, prompts), count: draws, seed: seed)
    func items(_ rows: [[Float]], _ names: [String]) -> ([ScoredItem], Double) {
      let means = redrawn.means(rows)
      let intervals = redrawn.intervals(means)
      let (jaccard, inTop) = redrawn.topStability(means, k: min(top, names.count))
      let scores = names.indices.map { index in
        rows.reduce(0) { $0 + Double($1[index]) } / Double(max(1, rows.count))
      }
      let items = names.indices.map {
        ScoredItem(name: names[$0], score: scores[$0], interval: intervals[$0], inTop: inTop[$0])
      }
      return (items, jaccard)
    }
    let rows =
      result.nodes?.map { $0.map { Float($0) } } ?? (result.edges ?? []).map { Self.nodeSums($0, graph) }
    let (nodes, nodeJaccard) = items(rows, (0..<graph.sourceCount).map { graph.source($0).description })
    self.nodes = nodes
    topJaccard = nodeJaccard
    if let edgeRows = result.edges {
      let (edges, jaccard) = items(edgeRows, graph.edges.map(\.description))
      self.edges = edges
      topJaccard = jaccard
    }
  }

  /// The sum over the edges that leave each writer.
  static func nodeSums(_ edges: [Float], _ graph: CircuitGraph) -> [Float] {
    var sums = [Float](repeating: 0, count: graph.sourceCount)
    var place = 0
    for reader in 0..<graph.destinationCount {
      for source in 0..<graph.sourceCount(before: reader) {
        sums[source] += edges[place]
        place += 1
      }
    }
    return sums
  }
}
