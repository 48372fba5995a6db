// What a head's output adds to the stream where a norm stands behind attention.

import Tensors
import Transformers

extension Transformer {
  /// Turns differences of heads' raw outputs into differences of what they add to the stream.
  ///
  /// A norm behind attention (Gemma 2 and 3) is not linear in the heads, so its derivative at `rawOutput` stands for it:
  /// differences pass it as small changes would. Models without such norms are left as they are.
  ///
  /// - Parameters:
  ///   - differences: `[source, prompt · position · d_model]`, changed in place.
  ///   - rawOutput: attention's output before the norm, `[prompt, position, d_model]`.
  ///   - rule: by the derivative, or with the norm's scale held.
  func linearizePostNorm(
    _ differences: inout Tensor, layer: Int, _ graph: CircuitGraph, rawOutput: Tensor,
    rule: SlopeRule = .exact
  ) {
    guard let norm = weights.blocks[layer].attentionPostNorm, let kind = configuration.normalization else {
      return
    }
    let width = differences.shape[1]
    for head in 0..<graph.heads {
      guard let source = graph.sourceIndex(of: .head(layer: layer, head: head)) else { continue }
      let change = differences.row(source)
      // The derivative without its gain is its own adjoint; the gain comes after it.
      var pushed = Tensor(zeros: [width])
      normalizeRowsAdjoint(
        rawOutput.reshaped([width / configuration.dModel, configuration.dModel]), kind, gain: nil, dy: change,
        addingTo: &pushed, rule: rule)
      pushed = pushed.reshaped([width / configuration.dModel, configuration.dModel])
      pushed.multiplyRows(by: norm.factors(kind))
      differences.write(pushed, at: source * width)
    }
  }

  /// Whether a norm stands behind attention.
  var hasAttentionPostNorms: Bool { weights.blocks.contains { $0.attentionPostNorm != nil } }
}

extension NormWeights {
  /// What normalised rows are multiplied with.
  fileprivate func factors(_ kind: RowNormalization) -> Tensor? {
    guard let gain else { return nil }
    guard case .rootMeanSquare(_, let offset) = kind, offset != 0 else { return gain }
    return Tensor(gain.values.map { $0 + offset })
  }
}

extension Tensor {
  /// Multiplies every row of the last axis by a vector.
  fileprivate mutating func multiplyRows(by factors: Tensor?) {
    guard let factors = factors?.values else { return }
    withMutableValues { values in
      for index in values.indices { values[index] *= factors[index % factors.count] }
    }
  }
}
