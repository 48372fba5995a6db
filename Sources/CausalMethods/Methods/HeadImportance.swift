// Head importance score for pruning.

import Tensors
import Transformers

/// |Σ_pos z · ∂metric/∂z| of each head, prompt by prompt, averaged (Michel et al. 2019, arXiv 1905.10650, section 4.1).
public struct HeadImportance: AttributionMethod {
  /// The name typed on the command line.
  public static let name = "hisp"
  /// What it scores, in a few words.
  public static let summary = "head importance score for pruning: heads alone, no replacement"
  /// Its cost, in runs over the prompts.
  public static let cost = "1 run up and back"
  /// Where it comes from.
  public static let source = "Michel et al. 2019, arXiv 1905.10650"
  /// Whether it scores edges; else nodes.
  public static let scoresEdges = false
  /// What may stand in for a writer's output.
  public static let replacements = [SourceReplacement.zero]

  /// The method.
  public init() {}

  /// Scores every node or edge; see `AttributionMethod`.
  public func attribute(
    _ model: Transformer, _ task: CausalTask, _ options: AttributionOptions, progress: (Int, Int) -> Void
  ) throws -> AttributionResult {
    try task.requireAnswers()
    let graph = CircuitGraph(model.configuration)
    var nodes = [[Double]](
      repeating: [Double](repeating: 0, count: graph.sourceCount), count: task.clean.count)
    var metricValues = [Double](repeating: 0, count: task.clean.count)
    let points = Set((0..<graph.layers).map { HookPoint.z(layer: $0) })
    let batches = task.batches(tokenLimit: options.tokenLimit)
    for (done, indices) in batches.enumerated() {
      let run = try model.gradients(
        of: task.logitMetric(indices, model: model), task.cleanBatch(indices), at: points,
        reading: points)
      for (index, value) in zip(indices, run.metric) { metricValues[index] = value }
      for layer in 0..<graph.layers {
        let (z, slopes) = (run.values[.z(layer: layer)], run.gradients[.z(layer: layer)])
        let sums = headProducts(z, slopes)
        for (place, prompt) in indices.enumerated() {
          for head in 0..<graph.heads {
            guard let source = graph.sourceIndex(of: .head(layer: layer, head: head)) else { continue }
            nodes[prompt][source] = abs(sums[place][head])
          }
        }
      }
      progress(done + 1, batches.count)
    }
    return AttributionResult(graph: graph, nodes: nodes, metric: metricValues)
  }
}

/// Σ over positions and coordinates of the products of two values `[prompt, position, head, width]`, by prompt and head.
func headProducts(_ a: Tensor, _ b: Tensor) -> [[Double]] {
  let (prompts, positions, heads, width) = (a.shape[0], a.shape[1], a.shape[2], a.shape[3])
  var sums = [[Double]](repeating: [Double](repeating: 0, count: heads), count: prompts)
  a.withValues { a in
    b.withValues { b in
      for prompt in 0..<prompts {
        for position in 0..<positions {
          for head in 0..<heads {
            let start = ((prompt * positions + position) * heads + head) * width
            var sum = 0.0
            for index in start..<start + width { sum += Double(a[index]) * Double(b[index]) }
            sums[prompt][head] += sum
          }
        }
      }
    }
  }
  return sums
}
