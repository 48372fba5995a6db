// Automatic circuit discovery: edges are left out one by one as long as the answer bears it.

import Tensors
import Transformers

/// From the logits back to the input, each edge is replaced in turn and stays so if the metric worsens by less than the
/// setting `threshold` (Conmy et al. 2023, arXiv 2304.14997, algorithm 1).
///
/// Readers are taken from the last to the first in the graph's order (of a layer: the MLP, then heads from the highest
/// number down, v before k before q), the sources of each from the last to the first. Worsening is a rise of `kl` or
/// `loss`, a fall of the other metrics, in the mean over prompts. An edge's score is the damage that replacing it did
/// when it was tried.
public struct ACDC: AttributionMethod {
  /// The name typed on the command line.
  public static let name = "acdc"
  /// What it scores, in a few words.
  public static let summary = "automatic circuit discovery: edges, left out one by one below --threshold"
  /// Its cost, in runs over the prompts.
  public static let cost = "1 run up for each edge, from the reader's layer on"
  /// Where it comes from.
  public static let source = "Conmy et al. 2023, arXiv 2304.14997"
  /// Whether it scores edges; else nodes.
  public static let scoresEdges = true
  /// All prompts decide together what is kept.
  public static let scoresPromptsAlone = false
  /// What may stand in for a writer's output.
  public static let replacements = SourceReplacement.allCases

  /// The method.
  public init() {}

  /// Scores every node or edge; see `AttributionMethod`.
  public func attribute(
    _ model: Transformer, _ task: CausalTask, _ options: AttributionOptions, progress: (Int, Int) -> Void
  ) throws -> AttributionResult {
    try task.requireAnswers()
    let threshold = options.settings["threshold"] ?? 0.05
    let graph = CircuitGraph(model.configuration)
    var donors = try ReplacementSource(model, graph, task, options.replacement, seed: options.seed)
    let studies = try task.batches(tokenLimit: options.tokenLimit).map { indices in
      (
        indices,
        try NodeStudy(
          model, graph, task.cleanBatch(indices),
          try task.logitMetric(indices, model: model), replacements: try donors.values(indices))
      )
    }
    /// The metric of each prompt with a circuit whose patched edges begin at a layer.
    func values(_ circuit: Circuit, from layer: Int) throws -> [Double] {
      var values = [Double](repeating: 0, count: task.clean.count)
      for (indices, study) in studies {
        for (index, value) in zip(indices, try study.values(of: circuit, from: layer)) {
          values[index] = value
        }
      }
      return values
    }
    let sign: Double = task.metric == .divergence || task.metric == .loss ? 1 : -1
    let offsets = graph.edgeOffsets
    var circuit = Circuit.whole(graph)
    let base = try values(circuit, from: graph.layers)
    var current = base
    var edges = [[Float]](
      repeating: [Float](repeating: 0, count: graph.edgeCount), count: task.clean.count)
    var tried = 0
    for reader in (0..<graph.destinationCount).reversed() {
      let layer = layer(of: graph.destination(reader), graph)
      for source in (0..<graph.sourceCount(before: reader)).reversed() {
        let edge = offsets[reader] + source
        let without = circuit.setting(edge, to: false)
        let found = try values(without, from: layer)
        let damage = zip(found, current).map { sign * ($0 - $1) }
        for (prompt, value) in damage.enumerated() { edges[prompt][edge] = Float(value) }
        if damage.reduce(0, +) / Double(damage.count) < threshold {
          circuit = without
          current = found
        }
        tried += 1
        progress(tried, graph.edgeCount)
      }
    }
    return AttributionResult(
      graph: graph, edges: edges, circuit: Set(circuit.edges.indices.filter { circuit.edges[$0] }),
      metric: base)
  }

  private func layer(of destination: GraphDestination, _ graph: CircuitGraph) -> Int {
    switch destination {
    case .head(let layer, _, _), .mlp(let layer): layer
    case .logits: graph.layers - 1
    }
  }
}

extension NodeStudy {
  /// The metric of each prompt with a circuit that has all edges into layers before `layer`.
  func values(of circuit: Circuit, from layer: Int) throws -> [Double] {
    guard layer < graph.layers else {
      return try model.values(
        of: metric, batch, from: StreamStart(layer: layer, stream: streams[layer]))
    }
    // Sources before the layer write what they wrote in the clean run; later ones are noted as they write.
    let known = graph.sourceCount(
      before: graph.destinationIndex(of: .head(layer: layer, head: 0, .queries)) ?? 0)
    var replacements = self.replacements
    replacements.write(differences.rows(0..<known), at: 0)
    let edits = CircuitEdits(
      model, circuit, replacements, from: layer, raw: rawOutputs.filter { $0.key < layer }
    ).edits
    return try model.values(
      of: metric, batch, applying: edits, from: StreamStart(layer: layer, stream: streams[layer]))
  }
}
