// Learned masks: gates on nodes or edges, trained to keep the model's answers with as few open as possible.

import Synchronization
import Tensors
import Transformers

/// Gates on the outputs of heads and MLPs (subnetwork probing, Cao, Sanh & Rush 2021, arXiv 2104.03514). A gate of 0
/// replaces the output, 1 leaves it; the loss is the divergence from the model's own answers plus `sparsity` times the
/// expected share of open gates. A node's score is its gate without noise.
public struct NodeMask: AttributionMethod {
  /// The name typed on the command line.
  public static let name = "node-mask"
  /// What it scores, in a few words.
  public static let summary = "learned masks: nodes; one gate for all prompts, so that its interval is empty"
  /// Its cost, in runs over the prompts.
  public static let cost = "200 runs up and back over a batch"
  /// Where it comes from.
  public static let source = "Cao et al. 2021, arXiv 2104.03514"
  /// Whether it scores edges; else nodes.
  public static let scoresEdges = false
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
    let graph = CircuitGraph(model.configuration)
    // A node's gate stands on all edges that leave it.
    let offsets = graph.edgeOffsets
    var gateOfEdge = [Int](repeating: 0, count: graph.edgeCount)
    for reader in 0..<graph.destinationCount {
      for source in 0..<graph.sourceCount(before: reader) { gateOfEdge[offsets[reader] + source] = source }
    }
    var result = try learnedMask(
      model, task, options, graph, gateOfEdge: gateOfEdge, gates: graph.sourceCount, progress: progress)
    result.nodes = result.edges.map { rows in
      rows.map { row in
        (0..<graph.sourceCount).map { source in
          Double(row[offsets[graph.destinationCount - 1] + source])
        }
      }
    }
    result.edges = nil
    return result
  }
}

/// Gates on edges (edge pruning, Bhaskar et al. 2024, arXiv 2406.16778).
public struct EdgeMask: AttributionMethod {
  /// The name typed on the command line.
  public static let name = "edge-mask"
  /// What it scores, in a few words.
  public static let summary = "learned masks: edges; one gate for all prompts, so that its interval is empty"
  /// Its cost, in runs over the prompts.
  public static let cost = "200 runs up and back over a batch"
  /// Where it comes from.
  public static let source = "Bhaskar et al. 2024, arXiv 2406.16778"
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
    let graph = CircuitGraph(model.configuration)
    return try learnedMask(
      model, task, options, graph, gateOfEdge: Array(0..<graph.edgeCount), gates: graph.edgeCount,
      progress: progress)
  }
}

/// Trains gates that edges share, and gives every edge its gate without noise, the same for all prompts.
private func learnedMask(
  _ model: Transformer, _ task: CausalTask, _ options: AttributionOptions, _ graph: CircuitGraph,
  gateOfEdge: [Int], gates count: Int, progress: (Int, Int) -> Void
) throws -> AttributionResult {
  try task.requireAnswers()
  guard !model.hasAttentionPostNorms else {
    throw CausalError.badOption(
      "learned masks are not made for models with a norm behind attention; 'patching' and 'eap-ig-inputs' are"
    )
  }
  var donors = try ReplacementSource(model, graph, task, options.replacement, seed: options.seed)
  var divergence = task
  divergence.metric = .divergence
  let sparsity = options.settings["sparsity"] ?? 0.5
  let steps = Int(options.settings["mask-steps"] ?? 200)
  let batches = task.batches(tokenLimit: options.tokenLimit)
  var gates = HardConcreteGates(count: count)
  var generator = SeededGenerator(seed: options.seed, stream: "masks")
  for step in 0..<steps {
    let indices = batches[step % batches.count]
    let batch = task.cleanBatch(indices)
    let (values, slopes) = gates.sample(using: &generator)
    let masked = MaskedRun(model, graph, try donors.values(indices), gateOfEdge.map { values[$0] })
    _ = try model.gradients(
      of: try divergence.logitMetric(indices, model: model), batch, at: [.embedding], applying: masked.edits)
    let (_, opennessSlopes) = gates.openness
    var gradient = opennessSlopes.map { sparsity * $0 / Double(count) }
    for (edge, slope) in masked.gateGradients.enumerated() {
      gradient[gateOfEdge[edge]] += slope / Double(indices.count) * slopes[gateOfEdge[edge]]
    }
    gates.descend(gradient, rate: 0.1)
    progress(step + 1, steps)
  }
  let expected = gates.expected
  let row = gateOfEdge.map { Float(expected[$0]) }
  var metricValues: [Double] = []
  for indices in batches {
    let values = try model.values(
      of: task.logitMetric(indices, model: model), task.cleanBatch(indices))
    metricValues += values
  }
  return AttributionResult(
    graph: graph, edges: [[Float]](repeating: row, count: task.clean.count),
    circuit: Set(row.indices.filter { row[$0] > 0.5 }), metric: metricValues)
}

/// One run with a gate on every edge, whose way back also gives the gradient of each gate.
///
/// A reader gets stream + Σ (1 − gate)·(replacement − output). On the way back the gate's gradient is −difference·g, and
/// the source's output has −(1 − gate)·g beside what reaches it along the stream.
final class MaskedRun: Sendable {
  private struct State: Sendable {
    /// Replacement less this run's output `[source, prompt · position · d_model]`.
    var differences: Tensor
    /// What the readers' patches add to the gradient of each source's output, on the way back.
    var back: Tensor
    var gateGradients: [Double]
  }
  private let state: Mutex<State>
  private let graph: CircuitGraph
  private let dModel: Int
  private let gates: [Float]
  private let offsets: [Int]
  private let layersInput: HookPoint
  /// The factor with which each source's output enters the stream.
  private let factors: [Float]

  init(_ model: Transformer, _ graph: CircuitGraph, _ replacements: Tensor, _ gates: [Float]) {
    self.graph = graph
    self.gates = gates
    dModel = model.configuration.dModel
    offsets = graph.edgeOffsets
    layersInput = .residPre(layer: 0)
    factors = (0..<graph.sourceCount).map { model.streamFactor(of: graph.source($0)) }
    state = Mutex(
      State(
        differences: replacements, back: Tensor(zeros: replacements.shape),
        gateGradients: [Double](repeating: 0, count: graph.edgeCount)))
  }

  /// ∂metric/∂gate of every edge, summed over the batch.
  var gateGradients: [Double] { state.withLock { $0.gateGradients } }

  var edits: [HookPoint: Edit] {
    var edits: [HookPoint: Edit] = [layersInput: writing(0, count: 1)]
    for layer in 0..<graph.layers {
      for input in HeadInput.allCases {
        edits[input.point(layer: layer)] = reading(
          (0..<graph.heads).compactMap { graph.destinationIndex(of: .head(layer: layer, head: $0, input)) })
      }
      if let first = graph.sourceIndex(of: .head(layer: layer, head: 0)) {
        edits[.result(layer: layer)] = writing(first, count: graph.heads)
      }
      if let source = graph.sourceIndex(of: .mlp(layer: layer)),
        let reader = graph.destinationIndex(of: .mlp(layer: layer))
      {
        edits[.mlpInput(layer: layer)] = reading([reader])
        edits[.mlpOut(layer: layer)] = writing(source, count: 1)
      }
    }
    edits[.residPost(layer: graph.layers - 1)] = reading([graph.destinationCount - 1])
    return edits
  }

  /// Notes what sources write; on the way back adds what readers' patches ask of them.
  private func writing(_ first: Int, count: Int) -> Edit {
    Edit { [self] value, _ in
      let outputs = count > 1 ? SourceTable.byHead(value, dModel) : value
      state.withLock { state in
        let width = state.differences.shape[1]
        var part = state.differences.rows(first..<first + count)
        part.subtract(outputs)
        state.differences.write(part, at: first * width)
      }
    } adjoint: { [self] gradient, _ in
      let extra = state.withLock { $0.back.rows(first..<first + count) }
      gradient.add(byRow(extra, readers: count))
    }
  }

  /// Patches what readers read; on the way back takes the gates' gradients.
  private func reading(_ readers: [Int]) -> Edit {
    let bound = graph.sourceCount(before: readers[0])
    let closed = Tensor(
      readers.flatMap { reader in (0..<bound).map { factors[$0] * (1 - gates[offsets[reader] + $0]) } },
      shape: [readers.count, bound])
    return Edit { [self] value, _ in
      let change = state.withLock { matrixProduct(closed, $0.differences.rows(0..<bound)) }
      value.add(byRow(change, readers: readers.count))
    } adjoint: { [self] gradient, _ in
      let slopes = readers.count > 1 ? SourceTable.byHead(gradient, dModel) : gradient
      state.withLock { state in
        let width = state.differences.shape[1]
        let flat = MatrixWindow(rows: readers.count, columns: width)
        var products = Tensor(uninitialized: [readers.count, bound])
        matrixProduct(
          slopes, flat, state.differences, MatrixWindow(rows: bound, columns: width, transposed: true),
          into: &products, products.matrix)
        for (place, reader) in readers.enumerated() {
          for source in 0..<bound {
            state.gateGradients[offsets[reader] + source] -= Double(factors[source] * products[place, source])
          }
        }
        matrixProduct(
          closed, closed.matrix.transpose, slopes, flat, into: &state.back,
          MatrixWindow(rows: bound, columns: width), scale: -1, accumulating: true)
      }
    }
  }

  /// `[reader, prompt · position · d_model]` as `[prompt · position, reader, d_model]`.
  private func byRow(_ value: Tensor, readers: Int) -> Tensor {
    guard readers > 1 else { return value }
    return value.reshaped([readers, value.count / (readers * dModel), dModel]).exchangingFirstAxes()
  }
}
