// Information flow routes: how near each source's output lies to what a destination reads.

import Tensors
import Transformers

/// max(0, ‖x‖₁ − ‖x − out‖₁) at each position, as a share of all sources', averaged over positions (Ferrando & Voita
/// 2024, arXiv 2403.00824, section 2.2). It asks neither for answers nor for pairs; q, k and v of a layer read the same
/// stream and so have the same scores.
public struct InformationFlow: AttributionMethod {
  /// The name typed on the command line.
  public static let name = "information-flow"
  /// What it scores, in a few words.
  public static let summary = "information flow routes: edges, by nearness to the stream; no answers needed"
  /// Its cost, in runs over the prompts.
  public static let cost = "1 run up"
  /// Where it comes from.
  public static let source = "Ferrando & Voita 2024, arXiv 2403.00824"
  /// Whether it scores edges; else nodes.
  public static let scoresEdges = true
  /// What may stand in for a writer's output.
  public static let replacements = [SourceReplacement.zero]

  /// The method.
  public init() {}

  /// Scores every node or edge; see `AttributionMethod`.
  public func attribute(
    _ model: Transformer, _ task: CausalTask, _ options: AttributionOptions, progress: (Int, Int) -> Void
  ) throws -> AttributionResult {
    guard !task.clean.isEmpty else { throw CausalError.noPrompts }
    let graph = CircuitGraph(model.configuration)
    let dModel = model.configuration.dModel
    let offsets = graph.edgeOffsets
    var edges = [[Float]](
      repeating: [Float](repeating: 0, count: graph.edgeCount), count: task.clean.count)
    let batches = task.batches(tokenLimit: options.tokenLimit)
    for (done, indices) in batches.enumerated() {
      // No answer is asked for, so none is put behind the prompts.
      let batch = TokenBatch(indices.map { task.clean[$0] })
      let study = try NodeStudy(
        model, graph, batch, try task.logitMetric(indices, model: model),
        replacements: Tensor(zeros: [graph.sourceCount, batch.count * batch.width * dModel]))
      var outputs = study.contributions
      outputs.scale(by: -1)
      var stream = Tensor(zeros: [outputs.shape[1]])
      var summed = 0
      var shares: [[Double]] = []
      for reader in 0..<graph.destinationCount {
        let bound = graph.sourceCount(before: reader)
        if bound > summed {
          for source in summed..<bound { stream.add(outputs.row(source)) }
          summed = bound
          shares = Self.proximity(
            stream, outputs, sources: bound, prompts: batch.count, positions: batch.width, dModel)
        }
        for (place, prompt) in indices.enumerated() {
          for source in 0..<bound { edges[prompt][offsets[reader] + source] = Float(shares[place][source]) }
        }
      }
      progress(done + 1, batches.count)
    }
    return AttributionResult(
      graph: graph, edges: edges, metric: [Double](repeating: 0, count: task.clean.count))
  }

  /// Each source's share of nearness, averaged over positions: `[prompt][source]`.
  private static func proximity(
    _ stream: Tensor, _ outputs: Tensor, sources: Int, prompts: Int, positions: Int, _ dModel: Int
  ) -> [[Double]] {
    parallelMap(prompts) { prompt in
      var shares = [Double](repeating: 0, count: sources)
      stream.withValues { x in
        outputs.withValues { out in
          for position in 0..<positions {
            let start = (prompt * positions + position) * dModel
            var whole = 0.0
            for index in start..<start + dModel { whole += Double(abs(x[index])) }
            var near = [Double](repeating: 0, count: sources)
            for source in 0..<sources {
              let offset = source * prompts * positions * dModel
              var rest = 0.0
              for index in start..<start + dModel { rest += Double(abs(x[index] - out[offset + index])) }
              near[source] = max(0, whole - rest)
            }
            let total = near.reduce(0, +)
            if total > 0 {
              for source in 0..<sources { shares[source] += near[source] / total / Double(positions) }
            }
          }
        }
      }
      return shares
    }
  }
}
