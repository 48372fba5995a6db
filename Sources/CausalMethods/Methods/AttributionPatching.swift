// Attribution patching of nodes: a first-order estimate of what patching each would do, from one run up and back.

import Tensors
import Transformers

/// Σ_pos (replacement − clean) · ∂metric/∂output at the clean run, for every head and MLP (Nanda 2023; Syed et al. 2023,
/// arXiv 2310.10348).
public struct AttributionPatching: AttributionMethod {
  /// The name typed on the command line.
  public static let name = "atp"
  /// What it scores, in a few words.
  public static let summary = "attribution patching: nodes, first order at the clean run"
  /// Its cost, in runs over the prompts.
  public static let cost = "1 run up and back, 1 run up"
  /// Where it comes from.
  public static let source = "Nanda 2023; Kramár et al. 2024, arXiv 2403.00745"
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
    try nodeAttribution(model, task, options, progress: progress)
  }
}

/// The same with the rules of layer-wise relevance propagation in place of gradients (Jafari et al. 2025, arXiv
/// 2508.21258).
public struct RelevancePatching: AttributionMethod {
  /// The name typed on the command line.
  public static let name = "relp"
  /// What it scores, in a few words.
  public static let summary = "relevance patching: nodes, by propagation rules in place of gradients"
  /// Its cost, in runs over the prompts.
  public static let cost = "1 run up and back, 1 run up"
  /// Where it comes from.
  public static let source = "Jafari et al. 2025, arXiv 2508.21258"
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
    try nodeAttribution(model, task, options, rule: .relevance, progress: progress)
  }
}

/// Attribution patching whose gradients drop one layer's outputs in turn, so that paths that cancel do not hide a node:
/// the mean over layers of |score|; heads by their outputs, to which AtP*'s correction of the softmax does not apply
/// (`AttributionPatchingStar` scores them by queries, keys and values).
public struct GradDropPatching: AttributionMethod {
  /// The name typed on the command line.
  public static let name = "atp-graddrop"
  /// What it scores, in a few words.
  public static let summary = "attribution patching with each layer's gradient dropped in turn: nodes"
  /// Its cost, in runs over the prompts.
  public static let cost = "1 run up and back for each layer, 1 run up"
  /// Where it comes from.
  public static let source = "AtP*, Kramár et al. 2024, arXiv 2403.00745, section 4.2"
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
    let layers = model.configuration.layers
    var sum: AttributionResult?
    for layer in 0..<layers {
      var result = try nodeAttribution(
        model, task, options, applying: Self.dropping(layer, of: model)
      ) { done, total in
        progress(layer * total + done, layers * total)
      }
      // What a dropped layer writes counts for nothing, so each node has one run less.
      let scale = 1 / Double(max(1, layers - 1))
      let graph = result.graph
      result.nodes = result.nodes?.enumerated().map { prompt, scores in
        scores.enumerated().map { index, score in
          (graph.source(index).layer == layer ? 0 : abs(score) * scale) + (sum?.nodes?[prompt][index] ?? 0)
        }
      }
      sum = result
    }
    return sum ?? AttributionResult(graph: CircuitGraph(model.configuration), nodes: [], metric: [])
  }

  /// Edits that let no gradient pass through one layer's outputs.
  static func dropping(_ layer: Int, of model: Transformer) -> [HookPoint: Edit] {
    var edits: [HookPoint: Edit] = [.attentionOut(layer: layer): .stoppingGradient]
    if model.configuration.mlp != .none { edits[.mlpOut(layer: layer)] = .stoppingGradient }
    return edits
  }
}

/// Node scores from one run up and back a batch.
private func nodeAttribution(
  _ model: Transformer, _ task: CausalTask, _ options: AttributionOptions, rule: SlopeRule = .exact,
  applying edits: [HookPoint: Edit] = [:], progress: (Int, Int) -> Void
) throws -> AttributionResult {
  try task.requireAnswers()
  let graph = CircuitGraph(model.configuration)
  var donors = try ReplacementSource(model, graph, task, options.replacement, seed: options.seed)
  var nodes = [[Double]](
    repeating: [Double](repeating: 0, count: graph.sourceCount), count: task.clean.count)
  var metricValues = [Double](repeating: 0, count: task.clean.count)
  // Every head's result is summed into attention's raw output, so it has that output's gradient.
  var points: Set<HookPoint> = [.residPre(layer: 0)]
  for layer in 0..<graph.layers {
    points.insert(.block(layer: layer, .rawAttentionOut))
    if graph.hasMLPs { points.insert(.mlpOut(layer: layer)) }
  }
  let batches = task.batches(tokenLimit: options.tokenLimit)
  for (done, indices) in batches.enumerated() {
    let batch = task.cleanBatch(indices)
    var table = SourceTable(
      replacements: try donors.values(indices), graph, dModel: model.configuration.dModel)
    let values = try model.gradients(
      of: task.logitMetric(indices, model: model), batch, observing: points,
      reading: model.sourcePoints(graph), applying: edits, rule: rule,
      values: { table.take($1, at: $0) },
      gradients: { point, gradient in
        addProducts(
          table.values, gradient, sources(graph, at: point), indices, to: &nodes, graph)
      })
    for (index, value) in zip(indices, values) { metricValues[index] = value }
    progress(done + 1, batches.count)
  }
  return AttributionResult(graph: graph, nodes: nodes, metric: metricValues)
}

/// The writers whose outputs have the gradient at a hook point.
private func sources(_ graph: CircuitGraph, at point: HookPoint) -> Range<Int> {
  switch point {
  case .block(layer: 0, .residPre): return 0..<1
  case .block(let layer, .rawAttentionOut):
    let first = graph.sourceIndex(of: .head(layer: layer, head: 0)) ?? 0
    return first..<first + graph.heads
  case .block(let layer, .mlpOut):
    let place = graph.sourceIndex(of: .mlp(layer: layer)) ?? 0
    return place..<place + 1
  default: return 0..<0
  }
}

/// Adds Σ_pos difference · gradient of each prompt to the scores of some writers that share one gradient.
func addProducts(
  _ differences: Tensor, _ gradient: Tensor, _ sources: Range<Int>, _ prompts: [Int],
  to nodes: inout [[Double]], _ graph: CircuitGraph
) {
  let width = differences.shape[1]
  let promptWidth = width / prompts.count
  for source in sources {
    differences.row(source).withValues { change in
      gradient.withValues { slopes in
        for (place, prompt) in prompts.enumerated() {
          var sum = 0.0
          for index in place * promptWidth..<(place + 1) * promptWidth {
            sum += Double(change[index]) * Double(slopes[index])
          }
          nodes[prompt][source] += sum
        }
      }
    }
  }
}
