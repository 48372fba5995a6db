// Exact patching of nodes: what each does to the metric when its output is replaced, everything else as it follows.

import Tensors
import Transformers

/// metric(node replaced) − metric(clean), for every node; runs begin at the node's own layer and take several nodes at
/// once (Vig et al. 2020; Meng et al. 2022; Zhang & Nanda 2024, arXiv 2309.16042).
public struct NodePatching: AttributionMethod {
  /// The name typed on the command line.
  public static let name = "patching"
  /// What it scores, in a few words.
  public static let summary = "exact patching: nodes, one changed run each"
  /// Its cost, in runs over the prompts.
  public static let cost = "1 run up for each node, from its layer on"
  /// Where it comes from.
  public static let source = "Zhang & Nanda 2024, arXiv 2309.16042"
  /// Whether it scores edges; else nodes.
  public static let scoresEdges = false
  /// What may stand in for a writer's output.
  public static let replacements = SourceReplacement.allCases

  /// The method.
  public init() {}

  /// Scores every node or edge; see `AttributionMethod`.
  public func attribute(
    _ model: Transformer, _ task: CausalTask, _ options: AttributionOptions, progress: (Int, Int) -> Void
  ) throws -> AttributionResult {
    try task.requireAnswers()
    let graph = CircuitGraph(model.configuration)
    var donors = try ReplacementSource(model, graph, task, options.replacement, seed: options.seed)
    var nodes = [[Double]](
      repeating: [Double](repeating: 0, count: graph.sourceCount), count: task.clean.count)
    var metricValues = [Double](repeating: 0, count: task.clean.count)
    let batches = task.batches(tokenLimit: options.tokenLimit)
    for (done, indices) in batches.enumerated() {
      let batch = task.cleanBatch(indices)
      let study = try NodeStudy(
        model, graph, batch, try task.logitMetric(indices, model: model),
        replacements: try donors.values(indices))
      let base = try study.model.values(
        of: study.metric, batch,
        from: StreamStart(layer: graph.layers, stream: study.streams[graph.layers]))
      for (index, value) in zip(indices, base) { metricValues[index] = value }
      try study.effects(tokenLimit: 4 * options.tokenLimit) { source, values in
        for (place, prompt) in indices.enumerated() { nodes[prompt][source] = values[place] - base[place] }
      }
      progress(done + 1, batches.count)
    }
    return AttributionResult(graph: graph, nodes: nodes, metric: metricValues)
  }
}

extension NodeStudy {
  /// The metric of each prompt with each source replaced.
  func effects(tokenLimit: Int, _ take: (Int, [Double]) -> Void) throws {
    let byStart = Dictionary(grouping: 0..<graph.sourceCount) { start(changing: graph.source($0)) }
    let size = copiesAtOnce(tokenLimit: tokenLimit)
    for (_, sources) in byStart.sorted(by: { $0.key < $1.key }) {
      for first in Swift.stride(from: 0, to: sources.count, by: size) {
        let part = sources[first..<min(first + size, sources.count)]
        let copies = copies(
          moving: part.map { [graph.source($0)] }, by: [Float](repeating: 1, count: part.count))
        let values = try model.values(
          of: copies.metric, copies.batch, applying: copies.edits, from: copies.start)
        for (place, source) in part.enumerated() {
          take(source, Array(values[place * batch.count..<(place + 1) * batch.count]))
        }
      }
    }
  }

  /// The metric of each prompt with all of several sources replaced at once.
  func jointEffect(of sources: [GraphNode]) throws -> [Double] {
    let first = sources.map { start(changing: $0) }.min() ?? 0
    var edits: [HookPoint: Edit] = [:]
    for source in sources {
      let one = copies(moving: [[source]], by: [1])
      for (point, edit) in one.edits { edits[point] = edits[point].map { $0.followed(by: edit) } ?? edit }
    }
    return try model.values(
      of: metric, batch, applying: edits, from: StreamStart(layer: first, stream: streams[first]))
  }
}
