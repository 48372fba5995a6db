// Integrated gradients of nodes: gradients averaged on the line from a node's clean output to its replacement.

import Tensors
import Transformers

/// Σ_pos (replacement − clean) · mean over steps of ∂metric/∂output, the outputs of one layer's heads (or one MLP) moved
/// together, at the midpoints of equal steps (Sundararajan et al. 2017). Runs begin at the layer they change.
///
/// With the setting `alone` each node is moved by itself; its score then tends to its exact patch effect as steps grow.
public struct IntegratedGradients: AttributionMethod {
  /// The name typed on the command line.
  public static let name = "ig"
  /// What it scores, in a few words.
  public static let summary = "integrated gradients: nodes, a layer's heads or one MLP at a time"
  /// Its cost, in runs over the prompts.
  public static let cost = "1 run up and back for each step and module, from its layer on"
  /// Where it comes from.
  public static let source = "Sundararajan et al. 2017, arXiv 1703.01365; Hanna et al. 2024"
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
    let isAlone = options.settings["alone"] == 1
    let sets = isAlone ? (0..<graph.sourceCount).map { [$0] } : Self.modules(graph)
    let batches = task.batches(tokenLimit: options.tokenLimit)
    for (done, indices) in batches.enumerated() {
      let batch = task.cleanBatch(indices)
      let study = try NodeStudy(
        model, graph, batch, try task.logitMetric(indices, model: model),
        replacements: try donors.values(indices))
      for (place, set) in sets.enumerated() {
        let gradient = try study.meanGradient(
          moving: set, steps: options.steps, tokenLimit: options.tokenLimit)
        addProducts(
          study.differences, gradient, set[0]..<set[set.count - 1] + 1, indices, to: &nodes, graph)
        progress(done * sets.count + place + 1, batches.count * sets.count)
      }
      let base = try model.values(
        of: study.metric, batch,
        from: StreamStart(layer: graph.layers, stream: study.streams[graph.layers]))
      for (index, value) in zip(indices, base) { metricValues[index] = value }
    }
    return AttributionResult(graph: graph, nodes: nodes, metric: metricValues)
  }

  /// The input, the heads of each layer, each MLP; by the sources' numbers, which follow each other.
  private static func modules(_ graph: CircuitGraph) -> [[Int]] {
    var sets: [[Int]] = [[0]]
    for layer in 0..<graph.layers {
      if let first = graph.sourceIndex(of: .head(layer: layer, head: 0)) {
        sets.append(Array(first..<first + graph.heads))
      }
      if let mlp = graph.sourceIndex(of: .mlp(layer: layer)) { sets.append([mlp]) }
    }
    return sets
  }
}

extension NodeStudy {
  /// The gradient of the outputs that a set of sources share, averaged over midpoints between clean and replaced.
  ///
  /// - Returns: `[prompt, position, d_model]`.
  func meanGradient(moving set: [Int], steps: Int, tokenLimit: Int) throws -> Tensor {
    let sources = set.map { graph.source($0) }
    let point: HookPoint =
      switch sources[0] {
      case .input: .residPre(layer: 0)
      case .head(let layer, _): .block(layer: layer, .rawAttentionOut)
      case .mlp(let layer): .mlpOut(layer: layer)
      }
    let shares = (0..<steps).map { (Float($0) + 0.5) / Float(steps) }
    let size = copiesAtOnce(tokenLimit: tokenLimit)
    var sum = Tensor(zeros: [batch.count, batch.width, model.configuration.dModel])
    for first in Swift.stride(from: 0, to: steps, by: size) {
      let part = Array(shares[first..<min(first + size, steps)])
      let copies = copies(moving: part.map { _ in sources }, by: part)
      let run = try model.gradients(
        of: copies.metric, copies.batch, at: [point], applying: copies.edits, from: copies.start)
      let gradients = run.gradients[point]
      for copy in part.indices {
        sum.add(
          gradients.rows(copy * batch.count..<(copy + 1) * batch.count), times: 1 / Float(steps))
      }
    }
    return sum
  }
}
