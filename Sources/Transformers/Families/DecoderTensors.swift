// What the descendants of Llama share: the names of tensors.

import Checkpoints
import Tensors

/// Which tensors a descendant of Llama has, and what they are called.
struct DecoderTensors {
  /// The norms of a layer, by what they stand in front of or behind.
  enum Norms {
    /// Before attention and before the MLP.
    case before
    /// Before and behind both (Gemma 2 and 3).
    case around
    /// The same under other names (GLM 4).
    case aroundRenamed
    /// Behind both (OLMo 2 and 3).
    case behind
    /// One before both (Cohere, StableLM's parallel form).
    case shared
  }

  /// How an MLP's matrices are stored.
  enum MLPForm {
    /// gate_proj, up_proj and down_proj.
    case separate
    /// Gate above the other part in one matrix, gate_up_proj.
    case fused
    /// No gate: c_fc and c_proj.
    case plain
  }

  /// Biases of queries, keys and values.
  var hasInputBias = false
  /// Bias of attention's output.
  var hasOutputBias = false
  /// Biases of the MLP.
  var hasMLPBias = false
  /// Queries, keys and values in one matrix, qkv_proj.
  var fusesProjections = false
  /// Length of the gains on queries and keys, where there are any.
  var headNorms: (queries: Int, keys: Int)?
  /// Where a layer's norms stand.
  var norms = Norms.before
  /// Gains of norms.
  var hasNormGain = true
  /// Biases of norms.
  var hasNormBias = false
  /// How MLPs are stored.
  var mlpForm = MLPForm.separate
  /// Reads a layer's experts, in families that have them; nil in layers with one MLP.
  var experts: ((_ layer: Int, WeightReader) throws -> ExpertsWeights?)?

  func weights(
    _ checkpoint: SafetensorsCheckpoint, _ configuration: TransformerConfiguration
  ) throws -> WeightParts {
    let reader = WeightReader(checkpoint, optionalPrefix: "model.", probe: "embed_tokens.weight")
    let (dModel, vocabulary) = (configuration.dModel, configuration.vocabulary)
    return WeightParts(
      embedding: {
        EmbeddingWeights(tokens: try reader.weight("embed_tokens.weight", [vocabulary, dModel]))
      },
      block: { try block($0, reader, configuration) },
      output: {
        OutputWeights(
          finalNorm: try norm("norm", reader, configuration),
          unembedding: configuration.tiesEmbeddings
            ? nil : Linear(try reader.weight("lm_head.weight", [vocabulary, dModel]), .outputInput))
      })
  }

  private func norm(
    _ module: String, _ reader: WeightReader, _ configuration: TransformerConfiguration
  ) throws -> NormWeights {
    guard hasNormGain else { return NormWeights(gain: nil) }
    return try reader.norm(module, configuration.dModel, hasBias: hasNormBias)
  }

  private func block(
    _ layer: Int, _ reader: WeightReader, _ configuration: TransformerConfiguration
  ) throws -> BlockWeights {
    let name = "layers.\(layer)."
    func norm(_ module: String) throws -> NormWeights { try self.norm(name + module, reader, configuration) }
    let attention = try attention(name + "self_attn.", reader, configuration)
    let experts = try experts?(layer, reader)
    let mlp = experts == nil ? try mlp(name + "mlp.", reader, configuration) : nil
    var block = BlockWeights(attentionNorm: nil, attention: attention, mlp: mlp)
    block.experts = experts
    switch norms {
    case .before:
      block.attentionNorm = try norm("input_layernorm")
      block.mlpNorm = try norm("post_attention_layernorm")
    case .around:
      block.attentionNorm = try norm("input_layernorm")
      block.attentionPostNorm = try norm("post_attention_layernorm")
      block.mlpNorm = try norm("pre_feedforward_layernorm")
      block.mlpPostNorm = try norm("post_feedforward_layernorm")
    case .aroundRenamed:
      block.attentionNorm = try norm("input_layernorm")
      block.attentionPostNorm = try norm("post_self_attn_layernorm")
      block.mlpNorm = try norm("post_attention_layernorm")
      block.mlpPostNorm = try norm("post_mlp_layernorm")
    case .behind:
      block.attentionPostNorm = try norm("post_attention_layernorm")
      block.mlpPostNorm = try norm("post_feedforward_layernorm")
    case .shared:
      block.attentionNorm = try norm("input_layernorm")
      block.sharesNorm = true
    }
    return block
  }

  private func attention(
    _ name: String, _ reader: WeightReader, _ configuration: TransformerConfiguration
  ) throws -> AttentionWeights {
    let (dModel, dHead) = (configuration.dModel, configuration.dHead)
    func linear(_ module: String, to outputs: Int) throws -> Linear {
      try reader.linear(name + module, .outputInput, from: dModel, to: outputs, hasBias: hasInputBias)
    }
    let (queries, keys) = (configuration.heads * dHead, configuration.keyValueHeads * dHead)
    let projections: AttentionWeights.Projections =
      fusesProjections
      ? .fused(try linear("qkv_proj", to: queries + 2 * keys), .byKind)
      : .separate(
        queries: try linear("q_proj", to: queries), keys: try linear("k_proj", to: keys),
        values: try linear("v_proj", to: keys))
    return AttentionWeights(
      projections: projections,
      output: try reader.linear(
        name + "o_proj", .outputInput, from: queries, to: dModel, hasBias: hasOutputBias),
      queryNorm: try headNorms.map { try reader.gains(name + "q_norm.weight", count: $0.queries) },
      keyNorm: try headNorms.map { try reader.gains(name + "k_norm.weight", count: $0.keys) })
  }

  private func mlp(
    _ name: String, _ reader: WeightReader, _ configuration: TransformerConfiguration
  ) throws -> MLPWeights {
    let (dModel, dMLP) = (configuration.dModel, configuration.dMLP)
    func linear(_ module: String, from inputs: Int, to outputs: Int) throws -> Linear {
      try reader.linear(name + module, .outputInput, from: inputs, to: outputs, hasBias: hasMLPBias)
    }
    switch mlpForm {
    case .separate:
      return MLPWeights(
        gate: try linear("gate_proj", from: dModel, to: dMLP),
        input: try linear("up_proj", from: dModel, to: dMLP),
        output: try linear("down_proj", from: dMLP, to: dModel))
    case .fused:
      let parts = try reader.linears(
        name + "gate_up_proj", from: dModel, to: [dMLP, dMLP], hasBias: hasMLPBias)
      return MLPWeights(
        gate: parts[0], input: parts[1], output: try linear("down_proj", from: dMLP, to: dModel))
    case .plain:
      return MLPWeights(
        input: try linear("c_fc", from: dModel, to: dMLP),
        output: try linear("c_proj", from: dMLP, to: dModel))
    }
  }
}
