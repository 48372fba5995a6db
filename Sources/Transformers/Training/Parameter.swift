// The parameters of a transformer by name: what a gradient, an optimiser or a file refers to.

import Tensors

/// A parameter of a model.
public enum Parameter: Hashable, Sendable {
  case tokenEmbedding
  case positionEmbedding
  case embeddingNormGain
  case embeddingNormBias
  case block(Int, BlockParameter)
  case outputTransformWeight
  case outputTransformBias
  case finalNormGain
  case finalNormBias
  case unembedding
  case unembeddingBias
}

/// A parameter of one layer; the raw value is TransformerLens's name, except for the joint `attn.W_QKV`.
public enum BlockParameter: String, CaseIterable, Sendable {
  case attentionNormGain = "ln1.w"
  case attentionNormBias = "ln1.b"
  case fusedWeight = "attn.W_QKV"
  case fusedBias = "attn.b_QKV"
  case queryWeight = "attn.W_Q"
  case queryBias = "attn.b_Q"
  case keyWeight = "attn.W_K"
  case keyBias = "attn.b_K"
  case valueWeight = "attn.W_V"
  case valueBias = "attn.b_V"
  case queryNorm = "attn.q_norm.w"
  case keyNorm = "attn.k_norm.w"
  case sinks = "attn.sinks"
  case outputWeight = "attn.W_O"
  case outputBias = "attn.b_O"
  case attentionPostNormGain = "ln1_post.w"
  case attentionPostNormBias = "ln1_post.b"
  case mlpNormGain = "ln2.w"
  case mlpNormBias = "ln2.b"
  case gateWeight = "mlp.W_gate"
  case gateBias = "mlp.b_gate"
  case inWeight = "mlp.W_in"
  case inBias = "mlp.b_in"
  case outWeight = "mlp.W_out"
  case outBias = "mlp.b_out"
  case mlpPostNormGain = "ln2_post.w"
  case mlpPostNormBias = "ln2_post.b"
  case streamNormAfterAttentionGain = "ln_mid.w"
  case streamNormAfterAttentionBias = "ln_mid.b"
  case streamNormAfterMLPGain = "ln_end.w"
  case streamNormAfterMLPBias = "ln_end.b"
  case headCodes = "attn.codebook.C"
  case mlpCodes = "mlp.codebook.C"
}

extension Parameter: CustomStringConvertible {
  /// TransformerLens's name.
  public var description: String {
    switch self {
    case .tokenEmbedding: "embed.W_E"
    case .positionEmbedding: "pos_embed.W_pos"
    case .embeddingNormGain: "ln_embed.w"
    case .embeddingNormBias: "ln_embed.b"
    case .block(let layer, let parameter): "blocks.\(layer).\(parameter.rawValue)"
    case .outputTransformWeight: "output_transform.W"
    case .outputTransformBias: "output_transform.b"
    case .finalNormGain: "ln_final.w"
    case .finalNormBias: "ln_final.b"
    case .unembedding: "unembed.W_U"
    case .unembeddingBias: "unembed.b_U"
    }
  }

  /// All parameters that a model of so many layers may have, in the order in which they lie in a layout.
  static func all(layers: Int) -> [Parameter] {
    [.tokenEmbedding, .positionEmbedding, .embeddingNormGain, .embeddingNormBias]
      + (0..<layers).flatMap { layer in BlockParameter.allCases.map { .block(layer, $0) } }
      + [
        .outputTransformWeight, .outputTransformBias, .finalNormGain, .finalNormBias, .unembedding,
        .unembeddingBias,
      ]
  }
}

extension TransformerWeights {
  /// A parameter as it is stored; nil where the model has none. Setting one that the model lacks changes nothing.
  subscript(parameter: Parameter) -> Weight? {
    get {
      switch parameter {
      case .tokenEmbedding: tokenEmbedding
      case .positionEmbedding: positionEmbedding.map(Weight.init)
      case .embeddingNormGain: embeddingNorm?.gain.map(Weight.init)
      case .embeddingNormBias: embeddingNorm?.bias.map(Weight.init)
      case .outputTransformWeight: outputTransform?.weight
      case .outputTransformBias: outputTransform?.bias.map(Weight.init)
      case .block(let layer, let parameter): blocks[layer][parameter]
      case .finalNormGain: finalNorm?.gain.map(Weight.init)
      case .finalNormBias: finalNorm?.bias.map(Weight.init)
      case .unembedding: unembedding?.weight
      case .unembeddingBias: output.bias.map(Weight.init)
      }
    }
    set {
      guard let newValue else { return }
      switch parameter {
      case .tokenEmbedding: tokenEmbedding = newValue
      case .positionEmbedding: positionEmbedding?.replace(by: newValue)
      case .embeddingNormGain: embeddingNorm?.gain?.replace(by: newValue)
      case .embeddingNormBias: embeddingNorm?.bias?.replace(by: newValue)
      case .outputTransformWeight: outputTransform?.weight = newValue
      case .outputTransformBias: outputTransform?.bias?.replace(by: newValue)
      case .block(let layer, let parameter): blocks[layer][parameter] = newValue
      case .finalNormGain: finalNorm?.gain?.replace(by: newValue)
      case .finalNormBias: finalNorm?.bias?.replace(by: newValue)
      case .unembedding: unembedding?.weight = newValue
      case .unembeddingBias:
        unembedding?.bias?.replace(by: newValue)
        tiedUnembeddingBias?.replace(by: newValue)
      }
    }
  }
}

extension BlockWeights {
  fileprivate subscript(parameter: BlockParameter) -> Weight? {
    get {
      switch parameter {
      case .attentionNormGain: attentionNorm?.gain.map(Weight.init)
      case .attentionNormBias: attentionNorm?.bias.map(Weight.init)
      case .attentionPostNormGain: attentionPostNorm?.gain.map(Weight.init)
      case .attentionPostNormBias: attentionPostNorm?.bias.map(Weight.init)
      case .mlpNormGain: mlpNorm?.gain.map(Weight.init)
      case .mlpNormBias: mlpNorm?.bias.map(Weight.init)
      case .mlpPostNormGain: mlpPostNorm?.gain.map(Weight.init)
      case .mlpPostNormBias: mlpPostNorm?.bias.map(Weight.init)
      case .queryNorm: attention.queryNorm.map(Weight.init)
      case .keyNorm: attention.keyNorm.map(Weight.init)
      case .sinks: attention.sinks.map(Weight.init)
      case .streamNormAfterAttentionGain: streamNormAfterAttention?.gain.map(Weight.init)
      case .streamNormAfterAttentionBias: streamNormAfterAttention?.bias.map(Weight.init)
      case .streamNormAfterMLPGain: streamNormAfterMLP?.gain.map(Weight.init)
      case .streamNormAfterMLPBias: streamNormAfterMLP?.bias.map(Weight.init)
      case .headCodes: headCodes.map(Weight.init)
      case .mlpCodes: mlpCodes.map(Weight.init)
      default: linear(of: parameter).flatMap { $1 ? $0.bias.map(Weight.init) : $0.weight }
      }
    }
    set {
      guard let newValue else { return }
      switch parameter {
      case .attentionNormGain: attentionNorm?.gain?.replace(by: newValue)
      case .attentionNormBias: attentionNorm?.bias?.replace(by: newValue)
      case .attentionPostNormGain: attentionPostNorm?.gain?.replace(by: newValue)
      case .attentionPostNormBias: attentionPostNorm?.bias?.replace(by: newValue)
      case .mlpNormGain: mlpNorm?.gain?.replace(by: newValue)
      case .mlpNormBias: mlpNorm?.bias?.replace(by: newValue)
      case .mlpPostNormGain: mlpPostNorm?.gain?.replace(by: newValue)
      case .mlpPostNormBias: mlpPostNorm?.bias?.replace(by: newValue)
      case .queryNorm: attention.queryNorm?.replace(by: newValue)
      case .keyNorm: attention.keyNorm?.replace(by: newValue)
      case .sinks: attention.sinks?.replace(by: newValue)
      case .streamNormAfterAttentionGain: streamNormAfterAttention?.gain?.replace(by: newValue)
      case .streamNormAfterAttentionBias: streamNormAfterAttention?.bias?.replace(by: newValue)
      case .streamNormAfterMLPGain: streamNormAfterMLP?.gain?.replace(by: newValue)
      case .streamNormAfterMLPBias: streamNormAfterMLP?.bias?.replace(by: newValue)
      case .headCodes: headCodes?.replace(by: newValue)
      case .mlpCodes: mlpCodes?.replace(by: newValue)
      default:
        guard let found = linear(of: parameter) else { return }
        var linear = found.0
        if found.isBias { linear.bias?.replace(by: newValue) } else { linear.weight = newValue }
        set(linear, of: parameter)
      }
    }
  }

  /// The map that a matrix or bias belongs to, and whether it is the bias.
  private func linear(of parameter: BlockParameter) -> (Linear, isBias: Bool)? {
    switch (parameter, attention.projections) {
    case (.fusedWeight, .fused(let linear, _)): (linear, false)
    case (.fusedBias, .fused(let linear, _)): (linear, true)
    case (.queryWeight, .separate(let queries, _, _)): (queries, false)
    case (.queryBias, .separate(let queries, _, _)): (queries, true)
    case (.keyWeight, .separate(_, let keys, _)): (keys, false)
    case (.keyBias, .separate(_, let keys, _)): (keys, true)
    case (.valueWeight, .separate(_, _, let values)): (values, false)
    case (.valueBias, .separate(_, _, let values)): (values, true)
    case (.outputWeight, _): (attention.output, false)
    case (.outputBias, _): (attention.output, true)
    case (.gateWeight, _): mlp?.gate.map { ($0, false) }
    case (.gateBias, _): mlp?.gate.map { ($0, true) }
    case (.inWeight, _): mlp.map { ($0.input, false) }
    case (.inBias, _): mlp.map { ($0.input, true) }
    case (.outWeight, _): mlp.map { ($0.output, false) }
    case (.outBias, _): mlp.map { ($0.output, true) }
    default: nil
    }
  }

  private mutating func set(_ linear: Linear, of parameter: BlockParameter) {
    switch (parameter, attention.projections) {
    case (.fusedWeight, .fused(_, let order)), (.fusedBias, .fused(_, let order)):
      attention.projections = .fused(linear, order)
    case (.queryWeight, .separate(_, let keys, let values)), (.queryBias, .separate(_, let keys, let values)):
      attention.projections = .separate(queries: linear, keys: keys, values: values)
    case (.keyWeight, .separate(let queries, _, let values)),
      (.keyBias, .separate(let queries, _, let values)):
      attention.projections = .separate(queries: queries, keys: linear, values: values)
    case (.valueWeight, .separate(let queries, let keys, _)),
      (.valueBias, .separate(let queries, let keys, _)):
      attention.projections = .separate(queries: queries, keys: keys, values: linear)
    case (.outputWeight, _), (.outputBias, _): attention.output = linear
    case (.gateWeight, _), (.gateBias, _): mlp?.gate = linear
    case (.inWeight, _), (.inBias, _): mlp?.input = linear
    case (.outWeight, _), (.outBias, _): mlp?.output = linear
    default: break
    }
  }
}

extension Tensor {
  /// Takes the elements of parameters in memory.
  fileprivate mutating func replace(by weight: Weight) {
    if let tensor = weight.resident { self = tensor }
  }
}
