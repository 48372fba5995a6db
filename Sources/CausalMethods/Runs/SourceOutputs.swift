// What every writer adds to the residual stream, for one batch of prompts of one length.

import Tensors
import Transformers

extension Transformer {
  /// The hook points where writers' outputs are read.
  func sourcePoints(_ graph: CircuitGraph) -> Set<HookPoint> {
    var points: Set<HookPoint> = [.embedding]
    if configuration.positions == .learned { points.insert(.positionEmbedding) }
    for layer in 0..<graph.layers {
      points.insert(.result(layer: layer))
      if graph.hasMLPs { points.insert(.mlpOut(layer: layer)) }
    }
    return points
  }

  /// The outputs of all writers, `[source, prompt · position · d_model]`.
  func sourceOutputs(_ graph: CircuitGraph, _ batch: TokenBatch) throws -> Tensor {
    var outputs = SourceTable(graph, batch, dModel: configuration.dModel)
    try run(batch, observing: sourcePoints(graph)) { point, value in outputs.take(value, at: point) }
    return outputs.values
  }
}

/// A table of writers' outputs that is filled as a run passes them.
struct SourceTable {
  let graph: CircuitGraph
  /// Elements of one writer: prompts × positions × d_model.
  let width: Int
  let dModel: Int
  /// `[source, width]`.
  var values: Tensor

  init(_ graph: CircuitGraph, _ batch: TokenBatch, dModel: Int) {
    self.graph = graph
    self.dModel = dModel
    width = batch.count * batch.width * dModel
    values = Tensor(uninitialized: [graph.sourceCount, width])
  }

  /// Keeps a value that a run hands over.
  mutating func take(_ value: Tensor, at point: HookPoint) {
    switch point {
    case .embedding: values.write(value, at: 0)
    case .positionEmbedding:
      var input = values.row(0)
      input.add(value)
      values.write(input, at: 0)
    case .block(let layer, .result):
      let first = graph.sourceIndex(of: .head(layer: layer, head: 0)) ?? 0
      values.write(Self.byHead(value, dModel), at: first * width)
    case .block(let layer, .mlpOut):
      values.write(value, at: (graph.sourceIndex(of: .mlp(layer: layer)) ?? 0) * width)
    default: break
    }
  }

  /// `[prompt, position, head, d_model]` as `[head, prompt · position · d_model]`.
  static func byHead(_ value: Tensor, _ dModel: Int) -> Tensor {
    let heads = value.shape[2]
    let rows = value.shape[0] * value.shape[1]
    return value.reshaped([rows, heads, dModel]).exchangingFirstAxes().reshaped([heads, rows * dModel])
  }
}
