// Running a circuit: every edge outside it carries the source's replacement.

import Synchronization
import Tensors
import Transformers

/// Runs circuits of one task.
public struct CircuitRunner {
  let model: Transformer
  let task: CausalTask
  let graph: CircuitGraph
  let options: AttributionOptions
  private var donors: ReplacementSource

  /// - Throws: `CausalError` where prompts lack what replacements are taken from.
  public init(_ model: Transformer, _ task: CausalTask, _ options: AttributionOptions) throws {
    try model.requireSummedStream(for: "a circuit")
    try task.requireAnswers()
    self.model = model
    self.task = task
    self.options = options
    graph = CircuitGraph(model.configuration)
    donors = try ReplacementSource(model, graph, task, options.replacement, seed: options.seed)
  }

  /// What circuits are worth, by several metrics.
  ///
  /// Each reader gets the stream of the same run plus, for every source outside, its replacement less what it wrote in
  /// this run (as EAP-IG's and MIB's public code do); heads behind a norm are summed before it.
  ///
  /// - Returns: `[metric][circuit][prompt]`.
  public mutating func values(
    of circuits: [Circuit], by metrics: [CausalMetric], progress: (Int, Int) -> Void = { _, _ in }
  ) throws -> [[[Double]]] {
    var values = [[[Double]]](
      repeating: [[Double]](
        repeating: [Double](repeating: 0, count: task.clean.count), count: circuits.count),
      count: metrics.count)
    let batches = task.batches(tokenLimit: options.tokenLimit)
    for (done, indices) in batches.enumerated() {
      let batch = task.cleanBatch(indices)
      let replacements = try donors.values(indices)
      let logitMetrics = try metrics.map { metric in
        var task = task
        task.metric = metric
        return try task.logitMetric(indices, model: model)
      }
      // All that any metric reads, and where each finds its own among them.
      let positions = indices.indices.map { row in
        Set(logitMetrics.flatMap { $0.positions(ofPrompt: row) }).sorted()
      }
      let starts = positions.reduce(into: [0]) { $0.append($0[$0.count - 1] + $1.count) }
      let rows = logitMetrics.map { metric in
        indices.indices.map { row in
          metric.positions(ofPrompt: row).map { position in
            Int32(starts[row] + (positions[row].firstIndex(of: position) ?? 0))
          }
        }
      }
      for (place, circuit) in circuits.enumerated() {
        let logits = try model.logits(
          batch, at: positions, applying: CircuitEdits(model, circuit, replacements).edits)
        for (number, metric) in logitMetrics.enumerated() {
          for (row, prompt) in indices.enumerated() {
            let chosen = logits.gatherRows(rows[number][row])
            var slopes = Tensor(zeros: chosen.shape)
            values[number][place][prompt] = metric.evaluate(prompt: row, logits: chosen, gradient: &slopes)
          }
        }
        progress(done * circuits.count + place + 1, batches.count * circuits.count)
      }
    }
    return values
  }
}

/// The edits that make one run of a batch the run of a circuit.
struct CircuitEdits {
  let edits: [HookPoint: Edit]

  /// - Parameters:
  ///   - replacements: of every source; of those before layer `first`, less what they write.
  ///   - first: the layer where the run begins; nothing before it is patched.
  ///   - raw: this run's attention outputs before layer `first`, where a norm stands behind them.
  init(
    _ model: Transformer, _ circuit: Circuit, _ replacements: Tensor, from first: Int = 0,
    raw: [Int: Tensor] = [:]
  ) {
    let graph = circuit.graph
    let state = CircuitState(model, graph, replacements, raw: raw)
    let offsets = graph.edgeOffsets
    /// 1 for sources outside the circuit, `[readers, sources before them]`; nil where all are inside.
    func mask(_ readers: [Int]) -> Tensor? {
      let bound = graph.sourceCount(before: readers[0])
      let rows = readers.flatMap { reader in
        (0..<bound).map { circuit.edges[offsets[reader] + $0] ? Float(0) : 1 }
      }
      return rows.contains(1) ? Tensor(rows, shape: [readers.count, bound]) : nil
    }
    var edits: [HookPoint: Edit] = [:]
    func patch(_ point: HookPoint, _ mask: Tensor) {
      let edit = Edit { value, _ in state.patch(&value, mask) }
      edits[point] = edits[point].map { $0.followed(by: edit) } ?? edit
    }
    // The input is complete once positions are added.
    if first == 0 { edits[.residPre(layer: 0)] = Edit { value, _ in state.note(value, from: 0) } }
    for layer in first..<graph.layers {
      for input in HeadInput.allCases {
        let readers = (0..<graph.heads).compactMap {
          graph.destinationIndex(of: .head(layer: layer, head: $0, input))
        }
        if let mask = mask(readers) { patch(input.point(layer: layer), mask) }
      }
      if let first = graph.sourceIndex(of: .head(layer: layer, head: 0)) {
        edits[.result(layer: layer)] = Edit { value, _ in
          state.note(SourceTable.byHead(value, model.configuration.dModel), from: first)
        }
      }
      if let source = graph.sourceIndex(of: .mlp(layer: layer)),
        let reader = graph.destinationIndex(of: .mlp(layer: layer))
      {
        if let mask = mask([reader]) { patch(.mlpInput(layer: layer), mask) }
        edits[.mlpOut(layer: layer)] = Edit { value, _ in state.note(value, from: source) }
      }
    }
    if let mask = mask([graph.destinationCount - 1]) { patch(.residPost(layer: graph.layers - 1), mask) }
    self.edits = edits
  }
}

/// What a circuit's run has written so far.
private final class CircuitState: Sendable {
  private let model: Transformer
  private let graph: CircuitGraph
  private struct Written: Sendable {
    /// SourceReplacement less this run's output, for sources that have written; `[source, prompt · position · d_model]`.
    var differences: Tensor
    /// Sums of this run's heads, by layer, where a norm stands behind them.
    var raw: [Int: Tensor] = [:]
  }
  private let written: Mutex<Written>

  init(_ model: Transformer, _ graph: CircuitGraph, _ replacements: Tensor, raw: [Int: Tensor]) {
    self.model = model
    self.graph = graph
    written = Mutex(Written(differences: replacements, raw: raw))
  }

  /// Notes what sources wrote, from number `first` on.
  func note(_ outputs: Tensor, from first: Int) {
    written.withLock { written in
      let width = written.differences.shape[1]
      var part = written.differences.rows(first..<first + outputs.count / width)
      part.subtract(outputs)
      written.differences.write(part, at: first * width)
      guard case .head(let layer, _) = graph.source(first), hasPostNorm(layer) else { return }
      let rows = outputs.reshaped([graph.heads, width]).exchangingFirstAxes()
      var sum = Tensor(zeros: [width])
      rows.withValues { rows in
        sum.withMutableValues { sum in
          for index in sum.indices {
            for head in 0..<graph.heads { sum[index] += rows[index * graph.heads + head] }
          }
        }
      }
      if let bias = model.weights.blocks[layer].attention.output.bias {
        sum = sum.reshaped([width / bias.count, bias.count])
        sum.addToRows(bias)
      }
      written.raw[layer] = sum
    }
  }

  /// Adds the changes of sources outside to what some readers read.
  ///
  /// - Parameters:
  ///   - value: `[prompt, position, (reader,) d_model]`.
  ///   - mask: `[reader, source]`, 1 for sources outside.
  func patch(_ value: inout Tensor, _ mask: Tensor) {
    let dModel = model.configuration.dModel
    let change = written.withLock { written in changes(mask, written) }
    let readers = mask.shape[0]
    let rows = change.count / (readers * dModel)
    value.add(
      readers == 1 ? change : change.reshaped([readers, rows, dModel]).exchangingFirstAxes())
  }

  private func changes(_ mask: Tensor, _ written: Written) -> Tensor {
    let (readers, bound) = (mask.shape[0], mask.shape[1])
    let width = written.differences.shape[1]
    var plain = mask
    plain.withMutableValues { plain in
      for index in plain.indices { plain[index] *= model.streamFactor(of: graph.source(index % bound)) }
    }
    guard !written.raw.isEmpty else {
      return matrixProduct(plain, written.differences.rows(0..<bound))
    }
    // Sources that a norm stands behind are taken out, and added layer by layer through it.
    var result = Tensor(zeros: [readers, width])
    for (layer, raw) in written.raw {
      guard let first = graph.sourceIndex(of: .head(layer: layer, head: 0)), first < bound,
        let norm = model.weights.blocks[layer].attentionPostNorm,
        let kind = model.configuration.normalization
      else { continue }
      let heads = first..<first + graph.heads
      plain.withMutableValues { plain in
        for reader in 0..<readers { for source in heads { plain[reader * bound + source] = 0 } }
      }
      var moved = Tensor(uninitialized: [readers, width])
      matrixProduct(
        mask, MatrixWindow(offset: first, rows: readers, columns: graph.heads, rowStride: bound),
        written.differences, MatrixWindow(offset: first * width, rows: graph.heads, columns: width),
        into: &moved, MatrixWindow(rows: readers, columns: width))
      moved = moved.reshaped([readers * width / model.configuration.dModel, model.configuration.dModel])
      let clean = raw.reshaped([width / model.configuration.dModel, model.configuration.dModel])
      for reader in 0..<readers { moved.addRows(clean, at: reader * clean.shape[0]) }
      var (normalized, base) = (Tensor(uninitialized: moved.shape), Tensor(uninitialized: clean.shape))
      norm.apply(to: moved, kind, into: &normalized)
      norm.apply(to: clean, kind, into: &base)
      base.scale(by: -1)
      for reader in 0..<readers { normalized.addRows(base, at: reader * clean.shape[0]) }
      result.add(normalized, times: model.configuration.residualScale)
    }
    matrixProduct(
      plain, plain.matrix, written.differences, MatrixWindow(rows: bound, columns: width), into: &result,
      MatrixWindow(rows: readers, columns: width), accumulating: true)
    return result
  }

  private func hasPostNorm(_ layer: Int) -> Bool {
    model.weights.blocks[layer].attentionPostNorm != nil
  }
}

extension Tensor {
  /// Adds rows to those from row `first` on.
  fileprivate mutating func addRows(_ rows: Tensor, at first: Int) {
    let start = first * (shape.last ?? 1)
    withMutableValues { values in
      rows.withValues { rows in
        for index in rows.indices { values[start + index] += rows[index] }
      }
    }
  }
}
