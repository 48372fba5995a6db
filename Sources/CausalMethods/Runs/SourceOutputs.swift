// What every writer adds to the residual stream, for one batch of prompts of one length.

import Tensors
import Transformers

extension Transformer {
  /// The hook points where writers' outputs are read.
  func sourcePoints(_ graph: CircuitGraph) -> Set<HookPoint> {
    // The first stream: tokens and positions, behind a norm where the model has one there.
    var points: Set<HookPoint> = [.residPre(layer: 0)]
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

/// A table of writers' outputs that is filled as a run passes them, or from which they are taken away.
struct SourceTable {
  let graph: CircuitGraph
  /// Elements of one writer: prompts × positions × d_model.
  let width: Int
  let dModel: Int
  /// `[source, width]`.
  var values: Tensor
  /// Whether what a run hands over is subtracted from what stands in the table.
  private let subtracts: Bool
  /// Memory for results in the order of heads.
  private var results = Tensor(zeros: [0])

  /// An empty table.
  init(_ graph: CircuitGraph, _ batch: TokenBatch, dModel: Int) {
    self.graph = graph
    self.dModel = dModel
    width = batch.count * batch.width * dModel
    values = Tensor(uninitialized: [graph.sourceCount, width])
    subtracts = false
  }

  /// A table of replacements, that becomes what they differ by from a run's outputs.
  init(replacements: Tensor, _ graph: CircuitGraph, dModel: Int) {
    self.graph = graph
    self.dModel = dModel
    width = replacements.shape[1]
    values = replacements
    subtracts = true
  }

  /// Keeps a value that a run hands over.
  mutating func take(_ value: Tensor, at point: HookPoint) {
    switch point {
    case .block(layer: 0, .residPre): put(value, from: 0)
    case .block(let layer, .result):
      let heads = value.shape[2]
      value.reshaped([width / dModel, heads, dModel]).exchangeFirstAxes(into: &results)
      put(results, from: graph.sourceIndex(of: .head(layer: layer, head: 0)) ?? 0)
    case .block(let layer, .mlpOut):
      put(value, from: graph.sourceIndex(of: .mlp(layer: layer)) ?? 0)
    default: break
    }
  }

  private mutating func put(_ outputs: Tensor, from source: Int) {
    if subtracts {
      values.subtract(outputs, at: source * width)
    } else {
      values.write(outputs, at: source * width)
    }
  }

  /// `[prompt, position, head, d_model]` as `[head, prompt · position · d_model]`.
  static func byHead(_ value: Tensor, _ dModel: Int) -> Tensor {
    let heads = value.shape[2]
    let rows = value.shape[0] * value.shape[1]
    return value.reshaped([rows, heads, dModel]).exchangingFirstAxes().reshaped([heads, rows * dModel])
  }
}
