// One batch of prompts made ready for changing nodes one at a time: what the clean run had, what replaces it, and where
// runs can go on from.

import Tensors
import Transformers

/// A batch whose nodes can be moved towards their replacements.
struct NodeStudy {
  let model: Transformer
  let graph: CircuitGraph
  /// The prompts.
  let batch: TokenBatch
  let metric: any LogitMetric
  /// SourceReplacement less the run's own output of every source `[source, prompt · position · d_model]`.
  let differences: Tensor
  /// What stands in for every source.
  let replacements: Tensor
  /// `resid_pre` of every layer `[prompt, position, d_model]`, and the stream behind the last.
  let streams: [Tensor]
  /// Attention's raw output of every layer, where a norm stands behind it.
  let rawOutputs: [Int: Tensor]

  /// - Parameters:
  ///   - batch: prompts of one length.
  ///   - replacements: what stands in for every source.
  init(
    _ model: Transformer, _ graph: CircuitGraph, _ batch: TokenBatch, _ metric: any LogitMetric,
    replacements: Tensor
  ) throws {
    self.model = model
    self.graph = graph
    self.batch = batch
    self.metric = metric
    var table = SourceTable(replacements: replacements, graph, dModel: model.configuration.dModel)
    var streams: [Tensor] = []
    var raw: [Int: Tensor] = [:]
    var points = model.sourcePoints(graph).union((0..<graph.layers).map { .residPre(layer: $0) })
    points.insert(.residPost(layer: graph.layers - 1))
    if model.hasAttentionPostNorms {
      points.formUnion((0..<graph.layers).map { .block(layer: $0, .rawAttentionOut) })
    }
    try model.run(batch, observing: points) { point, value in
      switch point {
      case .block(let layer, .residPre):
        streams.append(value)
        if layer == 0 { table.take(value, at: point) }
      case .block(_, .residPost): streams.append(value)
      case .block(let layer, .rawAttentionOut): raw[layer] = value
      default: table.take(value, at: point)
      }
    }
    differences = table.values
    self.replacements = replacements
    self.streams = streams
    rawOutputs = raw
  }

  /// Where a run that changes a source may begin.
  func start(changing source: GraphNode) -> Int {
    switch source {
    case .input: 0
    case .head(let layer, _), .mlp(let layer): layer
    }
  }

  /// The hook point where a source's output is added to.
  private func point(of source: GraphNode) -> HookPoint {
    switch source {
    case .input: .residPre(layer: 0)
    case .head(let layer, _): .block(layer: layer, .rawAttentionOut)
    case .mlp(let layer): .mlpOut(layer: layer)
    }
  }

  /// Copies of the batch's prompts, each with some sources moved towards their replacements.
  ///
  /// - Parameters:
  ///   - sets: for each copy, sources that write in one layer; all of them begin at the same one.
  ///   - shares: for each copy, how far they are moved: 1 replaces them.
  func copies(moving sets: [[GraphNode]], by shares: [Float]) -> StudyCopies {
    let width = differences.shape[1]
    var changes: [HookPoint: Tensor] = [:]
    for (copy, sources) in sets.enumerated() {
      for source in sources {
        guard let index = graph.sourceIndex(of: source) else { continue }
        let point = point(of: source)
        var change = changes.removeValue(forKey: point) ?? Tensor(zeros: [sets.count, width])
        change.addRow(differences.row(index), times: shares[copy], toRow: copy)
        changes[point] = change
      }
    }
    let layer = sets.first?.first.map { start(changing: $0) } ?? 0
    return StudyCopies(
      batch: repeated(sets.count), metric: repeatedMetric(sets.count),
      start: StreamStart(layer: layer, stream: repeated(streams[layer], sets.count)),
      edits: changes.mapValues { .adding($0) })
  }

  /// The prompts, several times over.
  func repeated(_ count: Int) -> TokenBatch { batch.repeated(count) }

  /// The metric of `repeated(count)`.
  func repeatedMetric(_ count: Int) -> any LogitMetric {
    metric.selecting((0..<count).flatMap { _ in 0..<batch.count })
  }

  /// A value, several times over along its first axis.
  func repeated(_ value: Tensor, _ count: Int) -> Tensor {
    var result = Tensor(uninitialized: [count * value.shape[0]] + value.shape.dropFirst())
    for copy in 0..<count { result.write(value, at: copy * value.count) }
    return result
  }

  /// How many copies of the batch make a run of about so many tokens.
  func copiesAtOnce(tokenLimit: Int) -> Int { max(1, tokenLimit / max(1, batch.count * batch.width)) }
}

/// A run over changed copies of a batch.
struct StudyCopies {
  let batch: TokenBatch
  let metric: any LogitMetric
  let start: StreamStart
  let edits: [HookPoint: Edit]
}

extension Tensor {
  /// Adds `factor` times a row to one row of the first axis.
  fileprivate mutating func addRow(_ row: Tensor, times factor: Float, toRow index: Int) {
    let start = index * row.count
    withMutableValues { values in
      row.withValues { row in
        for place in row.indices { values[start + place] += factor * row[place] }
      }
    }
  }
}
