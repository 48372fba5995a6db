// GPT-2 (Radford et al. 2019): learned positions, layer normalisation before each module, one matrix for queries, keys
// and values, matrices stored as [inputs, outputs].

import Checkpoints
import Files
import Tensors

enum GPT2Family: ModelFamily {
  static let modelType = "gpt2"
  static let title = "GPT-2"
  static let refusals = "cross-attention"

  static func configuration(_ options: inout ConfigurationReader) throws -> TransformerConfiguration {
    let layers = try options.count("n_layer")
    let heads = try options.count("n_head")
    let dModel = try options.count("n_embd")
    guard dModel % heads == 0 else {
      throw options.bad("n_head", "must divide n_embd, which is \(dModel), but is \(heads)")
    }
    let dHead = dModel / heads
    try options.require("add_cross_attention", .boolean(false))
    let isScaled = try options.truth("scale_attn_weights", default: true)
    let isScaledByLayer = try options.truth("scale_attn_by_inverse_layer_idx", default: false)
    let attention = (0..<layers).map { layer in
      let scale = (isScaled ? 1 / Float(dHead).squareRoot() : 1) / (isScaledByLayer ? Float(layer + 1) : 1)
      return AttentionConfiguration(rule: AttentionRule(scale: scale))
    }
    return TransformerConfiguration(
      family: modelType, layers: layers, heads: heads, keyValueHeads: heads, dModel: dModel, dHead: dHead,
      dMLP: try options.optionalCount("n_inner") ?? 4 * dModel,
      vocabulary: try options.count("vocab_size"), context: try options.count("n_positions"),
      normalization: .layer(epsilon: Float(try options.positiveNumber("layer_norm_epsilon", default: 1e-5))),
      positions: .learned,
      activation: try options.choice("activation_function", default: "gelu_new", hiddenActivations),
      mlp: .plain, attention: attention,
      tiesEmbeddings: try options.truth("tie_word_embeddings", default: true))
  }

  static func weights(
    _ checkpoint: SafetensorsCheckpoint, _ configuration: TransformerConfiguration
  ) throws -> WeightParts {
    let reader = WeightReader(checkpoint, optionalPrefix: "transformer.", probe: "wte.weight")
    let (dModel, dMLP) = (configuration.dModel, configuration.dMLP)
    func block(_ layer: Int) throws -> BlockWeights {
      let name = "h.\(layer)."
      return BlockWeights(
        attentionNorm: try reader.norm(name + "ln_1", dModel, hasBias: true),
        attention: AttentionWeights(
          projections: .fused(
            try reader.linear(
              name + "attn.c_attn", .inputOutput, from: dModel, to: 3 * dModel, hasBias: true), .byKind),
          output: try reader.linear(
            name + "attn.c_proj", .inputOutput, from: dModel, to: dModel, hasBias: true)),
        mlpNorm: try reader.norm(name + "ln_2", dModel, hasBias: true),
        mlp: MLPWeights(
          input: try reader.linear(
            name + "mlp.c_fc", .inputOutput, from: dModel, to: dMLP, hasBias: true),
          output: try reader.linear(
            name + "mlp.c_proj", .inputOutput, from: dMLP, to: dModel, hasBias: true)))
    }
    let vocabulary = configuration.vocabulary
    return WeightParts(
      embedding: {
        EmbeddingWeights(
          tokens: try reader.weight("wte.weight", [vocabulary, dModel]),
          positions: try reader.tensor("wpe.weight", [configuration.context, dModel]))
      }, block: block,
      output: {
        let bias = try reader.optionalTensor("lm_head.bias", [vocabulary])
        return OutputWeights(
          finalNorm: try reader.norm("ln_f", dModel, hasBias: true),
          unembedding: configuration.tiesEmbeddings
            ? nil
            : Linear(try reader.weight("lm_head.weight", [vocabulary, dModel]), .outputInput, bias: bias),
          tiedBias: configuration.tiesEmbeddings ? bias : nil)
      })
  }
}

/// The names that config.json files use for activations.
let hiddenActivations: [String: Activation] = [
  "relu": .relu, "gelu": .gelu, "gelu_new": .geluTanh, "gelu_pytorch_tanh": .geluTanh, "gelu_fast": .geluTanh,
  "silu": .silu, "swish": .silu,
]
