// Which models that can be run can also be trained.

import Tensors

extension TrainableArchitecture {
  /// The architecture of a loaded model.
  /// - Throws: `TrainingError.notTrainable`, which names the first part without a backward pass.
  public init(_ model: Transformer) throws(TrainingError) {
    let configuration = model.configuration
    let weights = model.weights
    if let part = Self.untrainablePart(of: model) { throw .notTrainable(part: part) }
    self.init(
      vocabulary: configuration.vocabulary, context: configuration.context, layers: configuration.layers,
      heads: configuration.heads, modelWidth: configuration.dModel, headWidth: configuration.dHead,
      mlp: configuration.mlp == .none
        ? nil : MLP(width: configuration.dMLP, activation: configuration.activation))
    if case .layer(let epsilon)? = configuration.normalization {
      normEpsilon = epsilon
    } else {
      normEpsilon = nil
    }
    if let rule = configuration.attention.first?.rule {
      scoreScale = rule.scale
      isCausal = rule.isCausal
    }
    hasPositions = configuration.positions == .learned
    hasBiases = weights.blocks.contains { block in
      block.attention.output.bias != nil || block.fusedProjection?.bias != nil
        || block.mlp?.input.bias != nil || block.mlp?.output.bias != nil
    }
    tiesUnembedding = weights.unembedding == nil
    hasUnembeddingBias = weights.output.bias != nil
  }

  private static func untrainablePart(of model: Transformer) -> String? {
    let configuration = model.configuration
    if configuration.positions == .rotary { return "rotary positions" }
    if configuration.mlp == .gated { return "gated MLPs" }
    if configuration.residual == .parallel { return "attention and MLP side by side" }
    if configuration.keyValueHeads != configuration.heads { return "grouped queries" }
    if case .rootMeanSquare? = configuration.normalization { return "root-mean-square normalisation" }
    if configuration.embeddingScale != 1 { return "scaled embeddings" }
    if configuration.logitCap != nil { return "capped logits" }
    for attention in configuration.attention {
      if attention.rotary != nil { return "rotary positions" }
      if attention.rule.window != nil { return "windowed attention" }
      if attention.rule.scoreCap != nil { return "capped scores" }
      if attention != configuration.attention[0] { return "attention that differs from layer to layer" }
    }
    for block in model.weights.blocks {
      if block.attentionPostNorm != nil || block.mlpPostNorm != nil { return "norms behind layers" }
      if block.attention.queryNorm != nil || block.attention.keyNorm != nil { return "normalised queries" }
      if block.fusedProjection == nil { return "queries, keys and values in separate matrices" }
    }
    return nil
  }
}

extension BlockWeights {
  /// The joint projection to all queries, all keys and all values; nil where it is laid out otherwise.
  var fusedProjection: Linear? {
    guard case .fused(let projection, .byKind) = attention.projections else { return nil }
    return projection
  }
}
