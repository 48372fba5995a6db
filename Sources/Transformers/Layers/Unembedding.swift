// The last residual stream → final norm → logits, for all rows or some.

import Tensors

/// The end of a model.
struct Unembedding {
  let norm: NormWeights?
  let normalization: RowNormalization?
  let output: Linear
  let cap: Float?

  init(_ model: Transformer) {
    norm = model.weights.finalNorm
    normalization = model.configuration.normalization
    output = model.weights.output
    cap = model.configuration.logitCap
  }

  /// What the way up leaves for the way back. `[rows, …]` of the rows that were asked for.
  struct Activations {
    var stream = Tensor(zeros: [0])
    var normalized = Tensor(zeros: [0])
    var logits = Tensor(zeros: [0])
  }

  /// Normalises rows of the last stream and gives their logits; as far as the run reaches.
  func forward(_ stream: Tensor, keeping kept: inout Activations, _ run: inout some BlockRun) throws {
    kept.stream = stream
    if let norm, let normalization {
      kept.normalized.become(uninitialized: stream.shape)
      norm.apply(to: stream, normalization, into: &kept.normalized)
      try run.visit(.finalNorm, &kept.normalized)
    } else {
      kept.normalized = stream
    }
    guard run.reaches(.logits) else { return }
    kept.logits.become(uninitialized: [stream.shape[0], output.outputs])
    try output.apply(to: kept.normalized, into: &kept.logits)
    if let cap { kept.logits.softCap(cap) }
  }

  /// The gradient of the rows of the last stream, given that of the logits (which it uses up).
  ///
  /// `kept.logits` must hold the logits before any edit of them.
  func adjoint(
    _ dLogits: inout Tensor, _ kept: Activations, rule: SlopeRule, parameters: inout ParameterGradient?,
    _ run: inout some BlockRun
  ) throws -> Tensor {
    if let cap { dLogits.multiplyByCapSlope(cap, at: kept.logits) }
    parameters?.addUnembedding(output, x: kept.normalized, dy: dLogits)
    var dNormalized = Tensor(uninitialized: kept.normalized.shape)
    try output.adjoint(dLogits, into: &dNormalized)
    guard let norm, let normalization else { return dNormalized }
    try run.visit(.finalNorm, &dNormalized)
    var dStream = Tensor(zeros: kept.stream.shape)
    if parameters == nil {
      norm.adjoint(kept.stream, normalization, dy: dNormalized, addingTo: &dStream, rule: rule)
    } else {
      parameters?.normalizeAdjoint(
        norm, gain: .finalNormGain, bias: .finalNormBias, kept.stream, normalization, dy: dNormalized,
        addingTo: &dStream)
    }
    return dStream
  }
}

extension ParameterGradient {
  /// Adds the gradient of the unembedding: to the token embedding where that serves for both ends.
  mutating func addUnembedding(_ output: Linear, x: Tensor, dy: Tensor) {
    let isTied = layout.place(of: .unembedding) == nil
    add(output, isTied ? .tokenEmbedding : .unembedding, bias: .unembeddingBias, x: x, dy: dy)
  }
}
