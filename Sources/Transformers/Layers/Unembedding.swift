// The last residual stream → final norm → logits, for all rows or some. Encoders have a map and an activation before
// that norm.

import Tensors

/// The end of a model.
struct Unembedding {
  let norm: NormWeights?
  let normalization: RowNormalization?
  let output: Linear
  let scale: Float
  let cap: Float?
  let transform: Linear?
  let activation: Activation

  init(_ model: Transformer) {
    norm = model.weights.finalNorm
    normalization = model.configuration.normalization
    output = model.weights.output
    scale = model.configuration.logitScale
    transform = model.weights.outputTransform
    activation = model.configuration.activation
    cap = model.configuration.logitCap
  }

  /// What the way up leaves for the way back. `[rows, …]` of the rows that were asked for.
  struct Activations {
    var last = Tensor(zeros: [0])
    var transformed = Tensor(zeros: [0])
    var stream = Tensor(zeros: [0])
    var normalized = Tensor(zeros: [0])
    var logits = Tensor(zeros: [0])
  }

  /// Normalises rows of the last stream and gives their logits; as far as the run reaches.
  func forward(_ stream: Tensor, keeping kept: inout Activations, _ run: inout some BlockRun) throws {
    kept.last = stream
    kept.stream = stream
    if let transform {
      kept.transformed = try transform(stream)
      kept.stream = kept.transformed
      kept.stream.activate(activation)
    }
    if let norm, let normalization {
      kept.normalized.become(uninitialized: stream.shape)
      norm.apply(to: kept.stream, normalization, into: &kept.normalized)
      try run.visit(.finalNorm, &kept.normalized)
    } else {
      kept.normalized = kept.stream
    }
    guard run.reaches(.logits) else { return }
    kept.logits.become(uninitialized: [stream.shape[0], output.outputs])
    try output.apply(to: kept.normalized, into: &kept.logits)
    if scale != 1 { kept.logits.scale(by: scale) }
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
    if scale != 1 { dLogits.scale(by: scale) }
    parameters?.addUnembedding(output, x: kept.normalized, dy: dLogits)
    var dNormalized = Tensor(uninitialized: kept.normalized.shape)
    try output.adjoint(dLogits, into: &dNormalized)
    guard let norm, let normalization else {
      return try throughTransform(dNormalized, kept, rule: rule, &parameters)
    }
    try run.visit(.finalNorm, &dNormalized)
    var dStream = Tensor(zeros: kept.stream.shape)
    if parameters == nil {
      norm.adjoint(kept.stream, normalization, dy: dNormalized, addingTo: &dStream, rule: rule)
    } else {
      parameters?.normalizeAdjoint(
        norm, gain: .finalNormGain, bias: .finalNormBias, kept.stream, normalization, dy: dNormalized,
        addingTo: &dStream)
    }
    return try throughTransform(dStream, kept, rule: rule, &parameters)
  }

  /// From the gradient of what the final norm reads to that of the last stream.
  private func throughTransform(
    _ gradient: Tensor, _ kept: Activations, rule: SlopeRule, _ parameters: inout ParameterGradient?
  ) throws -> Tensor {
    guard let transform else { return gradient }
    var slopes = gradient
    slopes.multiplyBySlope(of: activation, at: kept.transformed, rule: rule)
    parameters?.add(
      transform, .outputTransformWeight, bias: .outputTransformBias, x: kept.last, dy: slopes)
    var dStream = Tensor(uninitialized: kept.last.shape)
    try transform.adjoint(slopes, into: &dStream)
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
