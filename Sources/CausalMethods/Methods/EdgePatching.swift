// Exact patching of edges: the source's replacement reaches one destination only.

import Tensors
import Transformers

/// metric(edge replaced) − metric(clean), for every edge. A run begins at the layer that reads, with several sources of
/// one destination at once (path patching, Goldowsky-Dill et al. 2023, arXiv 2304.05969).
public struct EdgePatching: AttributionMethod {
  /// The name typed on the command line.
  public static let name = "edge-patching"
  /// What it scores, in a few words.
  public static let summary = "exact patching: edges, one changed run each"
  /// Its cost, in runs over the prompts.
  public static let cost = "1 run up for each edge, from the reader's layer on"
  /// Where it comes from.
  public static let source = "Goldowsky-Dill et al. 2023, arXiv 2304.05969"
  /// Whether it scores edges; else nodes.
  public static let scoresEdges = true
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
    var edges = [[Float]](
      repeating: [Float](repeating: 0, count: graph.edgeCount), count: task.clean.count)
    var metricValues = [Double](repeating: 0, count: task.clean.count)
    let offsets = graph.edgeOffsets
    let batches = task.batches(tokenLimit: options.tokenLimit)
    for (done, indices) in batches.enumerated() {
      let batch = task.cleanBatch(indices)
      let study = try NodeStudy(
        model, graph, batch, try task.logitMetric(indices, model: model),
        replacements: try donors.values(indices))
      let contributions = study.contributions
      let base = try model.values(
        of: study.metric, batch,
        from: StreamStart(layer: graph.layers, stream: study.streams[graph.layers]))
      for (index, value) in zip(indices, base) { metricValues[index] = value }
      let size = study.copiesAtOnce(tokenLimit: 2 * options.tokenLimit)
      for reader in 0..<graph.destinationCount {
        let bound = graph.sourceCount(before: reader)
        for first in stride(from: 0, to: bound, by: size) {
          let sources = first..<min(first + size, bound)
          let values = try study.metric(adding: contributions.rows(sources), to: graph.destination(reader))
          for (copy, source) in sources.enumerated() {
            for (place, prompt) in indices.enumerated() {
              edges[prompt][offsets[reader] + source] = Float(
                values[copy * batch.count + place] - base[place])
            }
          }
        }
        progress(done * graph.destinationCount + reader + 1, batches.count * graph.destinationCount)
      }
    }
    return AttributionResult(graph: graph, edges: edges, metric: metricValues)
  }
}

extension NodeStudy {
  /// What the stream changes by when each source alone is replaced: its difference, behind any norm and factor.
  var contributions: Tensor {
    var result = differencesBehindNorms
    model.multiplyByStreamFactors(&result, graph)
    return result
  }

  /// What attention's and the MLPs' outputs change by when each source alone is replaced.
  private var differencesBehindNorms: Tensor {
    guard !rawOutputs.isEmpty, let kind = model.configuration.normalization else { return differences }
    var result = differences
    let width = differences.shape[1]
    for (layer, raw) in rawOutputs {
      guard let norm = model.weights.blocks[layer].attentionPostNorm else { continue }
      var clean = Tensor(uninitialized: raw.shape)
      norm.apply(to: raw, kind, into: &clean)
      for head in 0..<graph.heads {
        guard let source = graph.sourceIndex(of: .head(layer: layer, head: head)) else { continue }
        var changed = raw
        changed.add(differences.row(source).reshaped(raw.shape))
        var out = Tensor(uninitialized: raw.shape)
        norm.apply(to: changed, kind, into: &out)
        out.subtract(clean)
        result.write(out, at: source * width)
      }
    }
    return result
  }

  /// The metric of copies of the batch, each with an addend in one destination's input.
  ///
  /// - Parameter addends: `[copy, prompt · position · d_model]`.
  func metric(adding addends: Tensor, to destination: GraphDestination) throws -> [Double] {
    let copies = addends.shape[0]
    let (point, head) = graph.place(of: destination)
    let batch = repeated(copies)
    let metric = repeatedMetric(copies)
    if case .logits = destination {
      var stream = repeated(streams[graph.layers], copies)
      stream.add(addends)
      return try model.values(
        of: metric, batch, from: StreamStart(layer: graph.layers, stream: stream))
    }
    let layer = point.layer ?? 0
    let edit = head.map { Edit.adding(addends, toHead: $0) } ?? Edit.adding(addends)
    return try model.values(
      of: metric, batch, applying: [point: edit],
      from: StreamStart(layer: layer, stream: repeated(streams[layer], copies)))
  }
}

extension Edit {
  /// Adds a value to one head's rows; `[batch, position, head, width]`, the addend without the head's axis.
  static func adding(_ addend: Tensor, toHead head: Int) -> Edit {
    Edit { value, _ in
      let (heads, width) = (value.shape[2], value.shape[3])
      value.withMutableValues { values in
        addend.withValues { addend in
          for row in 0..<addend.count / width {
            let start = (row * heads + head) * width
            for column in 0..<width { values[start + column] += addend[row * width + column] }
          }
        }
      }
    }
  }
}
