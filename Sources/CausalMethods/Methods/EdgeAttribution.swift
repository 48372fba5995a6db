// Edge attribution patching, and its variants that take gradients elsewhere than at the clean run.

import Tensors
import Transformers

/// Σ_pos (replacement − clean output of the source) · ∂metric/∂input of the destination, gradients at the clean run
/// (Syed et al. 2023, arXiv 2310.10348).
public struct EdgeAttribution: AttributionMethod {
  /// The name typed on the command line.
  public static let name = "eap"
  /// What it scores, in a few words.
  public static let summary = "edge attribution patching: edges, first order at the clean run"
  /// Its cost, in runs over the prompts.
  public static let cost = "1 run up and back, 1 run up"
  /// Where it comes from.
  public static let source = "Syed, Rager & Conmy 2023, arXiv 2310.10348"
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
    try edgeAttribution(model, task, options, progress: progress) { pass in
      try pass.addGradients(of: pass.clean)
    }
  }
}

/// The same with the rules of layer-wise relevance propagation in place of gradients.
public struct RelevanceEdges: AttributionMethod {
  /// The name typed on the command line.
  public static let name = "eap-relp"
  /// What it scores, in a few words.
  public static let summary = "edge attribution by propagation rules in place of gradients"
  /// Its cost, in runs over the prompts.
  public static let cost = "1 run up and back, 1 run up"
  /// Where it comes from.
  public static let source = "Jafari et al. 2025, arXiv 2508.21258"
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
    try edgeAttribution(model, task, options, rule: .relevance, progress: progress) { pass in
      try pass.addGradients(of: pass.clean, rule: .relevance)
    }
  }
}

/// Gradients averaged over inputs on the line from the corrupted to the clean embedding, at alpha = k/steps for
/// k = 0 … steps − 1 (Hanna et al. 2024, arXiv 2403.17806; their public code).
public struct IntegratedInputs: AttributionMethod {
  /// The name typed on the command line.
  public static let name = "eap-ig-inputs"
  /// What it scores, in a few words.
  public static let summary = "edge attribution with integrated gradients along the input embedding"
  /// Its cost, in runs over the prompts.
  public static let cost = "1 run up and back a step, 2 runs up"
  /// Where it comes from.
  public static let source = "Hanna, Pezzelle & Belinkov 2024, arXiv 2403.17806"
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
    try edgeAttribution(model, task, options, progress: progress) { pass in
      let steps = options.steps
      for step in 0..<steps {
        let share = Float(step) / Float(steps)
        // The difference is replacement − clean, so the point lies that much short of the replacement.
        var input = pass.cleanInput
        input.add(pass.differences.row(0).reshaped(input.shape), times: 1 - share)
        try pass.addGradients(
          of: pass.clean, weight: 1 / Float(steps), applying: pass.replacingInput(by: input))
      }
    }
  }
}

/// Gradients at the clean and at the corrupted input, averaged (EAP-IG's public code, `clean-corrupted`).
public struct CleanCorrupted: AttributionMethod {
  /// The name typed on the command line.
  public static let name = "clean-corrupted"
  /// What it scores, in a few words.
  public static let summary =
    "edge attribution with gradients at the clean and the corrupted prompt, averaged"
  /// Its cost, in runs over the prompts.
  public static let cost = "2 runs up and back, 2 runs up"
  /// Where it comes from.
  public static let source = "public code of Hanna et al. 2024"
  /// Whether it scores edges; else nodes.
  public static let scoresEdges = true
  /// What may stand in for a writer's output.
  public static let replacements = [SourceReplacement.pair]

  /// The method.
  public init() {}

  /// Scores every node or edge; see `AttributionMethod`.
  public func attribute(
    _ model: Transformer, _ task: CausalTask, _ options: AttributionOptions, progress: (Int, Int) -> Void
  ) throws -> AttributionResult {
    try edgeAttribution(model, task, options, progress: progress) { pass in
      try pass.addGradients(of: pass.clean, weight: 0.5)
      try pass.addGradients(of: task.corruptedBatch(pass.indices), weight: 0.5)
    }
  }
}

/// Each group of sources (the input, each layer's heads, each MLP) put in turn on the line from its clean to its
/// replaced output and held there, at alpha = k/steps for k = 1 … steps; gradients averaged over all groups and steps, as
/// EAP-IG's public code does: what is held passes no gradient back.
public struct IntegratedActivations: AttributionMethod {
  /// The name typed on the command line.
  public static let name = "eap-ig-activations"
  /// What it scores, in a few words.
  public static let summary = "edge attribution with gradients integrated along each group of activations"
  /// Its cost, in runs over the prompts.
  public static let cost = "1 run up and back for each step, layer and module; 2 runs up"
  /// Where it comes from.
  public static let source = "public code of Hanna et al. 2024 (groups averaged)"
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
    try edgeAttribution(model, task, options, progress: progress) { pass in
      let groups = pass.sourceGroups
      let weight = 1 / Float(groups.count * options.steps)
      for group in groups {
        for step in 1...options.steps {
          let edits = pass.moving(group, towardsReplacement: 1 - Float(step) / Float(options.steps))
          try pass.addGradients(of: pass.clean, weight: weight, applying: edits)
        }
      }
    }
  }
}

/// One batch on its way to edge scores.
struct EdgePass {
  let model: Transformer
  let graph: CircuitGraph
  /// The batch's prompts, by their places in the task.
  let indices: [Int]
  let clean: TokenBatch
  let metric: any LogitMetric
  /// SourceReplacement less clean output of every source, `[source, prompt · position · d_model]`; heads behind a norm by its
  /// derivative.
  let differences: Tensor
  /// The same before any norm: what a head's raw output changes by.
  let rawDifferences: Tensor
  /// The first stream of the clean prompts `[prompt, position, d_model]`.
  let cleanInput: Tensor
  var scorer: EdgeScorer
  /// The metric of each clean prompt, once a run has passed them.
  var cleanMetric: [Double]?

  /// Adds the products of the differences with the gradients of one run up and back.
  mutating func addGradients(
    of batch: TokenBatch, weight: Float = 1, applying edits: [HookPoint: Edit] = [:], rule: SlopeRule = .exact
  ) throws {
    let (model, differences) = (model, differences)
    var scorer = scorer
    self.scorer = EdgeScorer(graph, prompts: 0, dModel: model.configuration.dModel)
    let values = try model.gradients(
      of: metric, batch, observing: scorer.points, applying: edits, rule: rule, values: { _, _ in },
      gradients: { point, gradient in scorer.add(differences, gradient, at: point, weight: weight) })
    self.scorer = scorer
    if edits.isEmpty, batch == clean { cleanMetric = values }
  }

  /// Edits that put another first stream in the place of that of tokens and positions.
  func replacingInput(by input: Tensor) -> [HookPoint: Edit] {
    [.residPre(layer: 0): .replacing(with: input)]
  }

  /// Sources that are moved together: the input, the heads of a layer, an MLP.
  enum Group { case input, heads(Int), mlp(Int) }

  var sourceGroups: [Group] {
    [.input]
      + (0..<graph.layers).flatMap { layer in
        [Group.heads(layer)] + (graph.hasMLPs ? [.mlp(layer)] : [])
      }
  }

  /// Edits that move a group's outputs a share of the way to their replacement and hold them there.
  func moving(_ group: Group, towardsReplacement share: Float) -> [HookPoint: Edit] {
    func scaled(_ source: Int) -> Tensor {
      var change = rawDifferences.row(source)
      change.scale(by: share)
      return change
    }
    switch group {
    case .input:
      var input = cleanInput
      input.add(rawDifferences.row(0).reshaped(input.shape), times: share)
      return replacingInput(by: input)
    case .mlp(let layer):
      let source = graph.sourceIndex(of: .mlp(layer: layer)) ?? 0
      return [.mlpOut(layer: layer): .adding(scaled(source)).followed(by: .stoppingGradient)]
    case .heads(let layer):
      let first = graph.sourceIndex(of: .head(layer: layer, head: 0)) ?? 0
      var change = scaled(first)
      for head in 1..<max(1, graph.heads) {
        change.add(rawDifferences.row(first + head), times: share)
      }
      return [.block(layer: layer, .rawAttentionOut): .adding(change).followed(by: .stoppingGradient)]
    }
  }
}

/// Edge scores batch by batch; `score` makes the runs that a method takes its gradients from.
/// - Parameter rule: how heads' changes pass a norm behind attention.
func edgeAttribution(
  _ model: Transformer, _ task: CausalTask, _ options: AttributionOptions, rule: SlopeRule = .exact,
  progress: (Int, Int) -> Void,
  score: (inout EdgePass) throws -> Void
) throws -> AttributionResult {
  try task.requireAnswers()
  let graph = CircuitGraph(model.configuration)
  var donors = try ReplacementSource(model, graph, task, options.replacement, seed: options.seed)
  var edges = [[Float]](repeating: [], count: task.clean.count)
  var metricValues = [Double](repeating: 0, count: task.clean.count)
  let batches = task.batches(tokenLimit: options.tokenLimit)
  for (done, indices) in batches.enumerated() {
    let batch = task.cleanBatch(indices)
    let metric = try task.logitMetric(indices, model: model)
    var table = SourceTable(
      replacements: try donors.values(indices), graph, dModel: model.configuration.dModel)
    var rawOutputs: [Int: Tensor] = [:]
    var cleanInput = Tensor(zeros: [0])
    var points = model.sourcePoints(graph)
    if model.hasAttentionPostNorms {
      points.formUnion((0..<graph.layers).map { .block(layer: $0, .rawAttentionOut) })
    }
    try model.run(batch, observing: points) { point, value in
      switch point {
      case .block(let layer, .rawAttentionOut): rawOutputs[layer] = value
      case .block(layer: 0, .residPre):
        cleanInput = value
        table.take(value, at: point)
      default: table.take(value, at: point)
      }
    }
    let raw = table.values
    table.values = Tensor(zeros: [0])
    var differences = raw
    for (layer, output) in rawOutputs {
      model.linearizePostNorm(&differences, layer: layer, graph, rawOutput: output, rule: rule)
    }
    model.multiplyByStreamFactors(&differences, graph)
    var pass = EdgePass(
      model: model, graph: graph, indices: indices, clean: batch, metric: metric, differences: differences,
      rawDifferences: raw, cleanInput: cleanInput,
      scorer: EdgeScorer(graph, prompts: batch.count, dModel: model.configuration.dModel))
    try score(&pass)
    let values = try pass.cleanMetric ?? model.values(of: metric, batch)
    for (index, value) in zip(indices, values) { metricValues[index] = value }
    for (place, index) in indices.enumerated() { edges[index] = pass.scorer.scores.row(place).values }
    progress(done + 1, batches.count)
  }
  return AttributionResult(graph: graph, edges: edges, metric: metricValues)
}
