// BLOOM (Le Scao et al. 2022): scores that lean on distance (ALiBi) in place of positions, a norm on the embeddings, one
// matrix with each head's query, key and value together.

import Checkpoints
import Files
import Tensors

enum BloomFamily: ModelFamily {
  static let modelType = "bloom"
  static let title = "BLOOM"
  static let refusals = "residual connections behind norms"

  static func configuration(_ options: inout ConfigurationReader) throws -> TransformerConfiguration {
    // Older files use the second names.
    let layers = try options.optionalCount("num_hidden_layers") ?? options.count("n_layer")
    _ = options.value("n_layer")
    let heads = try options.optionalCount("num_attention_heads") ?? options.count("n_head")
    _ = options.value("n_head")
    let width = try options.optionalCount("n_embed")
    let dModel = try options.optionalCount("hidden_size") ?? width ?? options.count("hidden_size")
    guard dModel % heads == 0 else {
      throw options.bad("n_head", "must divide hidden_size, which is \(dModel), but is \(heads)")
    }
    try options.require("apply_residual_connection_post_layernorm", .boolean(false))
    for option in [
      "attention_softmax_in_fp32", "bias_dropout_fusion", "masked_softmax_fusion", "skip_bias_add",
      "skip_bias_add_qkv",
    ] {
      _ = options.value(option)
    }
    _ = options.value("offset_alibi")
    _ = options.value("unk_token_id")
    let dHead = dModel / heads
    var rule = AttentionRule(scale: 1 / Float(dHead).squareRoot())
    rule.keyBias = KeyPositionBias(heads: heads)
    return TransformerConfiguration(
      family: modelType, layers: layers, heads: heads, keyValueHeads: heads, dModel: dModel, dHead: dHead,
      dMLP: 4 * dModel, vocabulary: try options.count("vocab_size"),
      // Nothing limits a prompt's length; this is what the models were trained on.
      context: try options.optionalCount("seq_length") ?? 2048,
      normalization: .layer(epsilon: Float(try options.positiveNumber("layer_norm_epsilon", default: 1e-5))),
      positions: .none, activation: .geluTanh, mlp: .plain,
      attention: Array(repeating: AttentionConfiguration(rule: rule), count: layers),
      tiesEmbeddings: try options.truth("tie_word_embeddings", default: true))
  }

  static func weights(
    _ checkpoint: SafetensorsCheckpoint, _ configuration: TransformerConfiguration
  ) throws -> WeightParts {
    let reader = WeightReader(
      checkpoint, optionalPrefix: "transformer.", probe: "word_embeddings.weight")
    let (dModel, dMLP, vocabulary) = (configuration.dModel, configuration.dMLP, configuration.vocabulary)
    func block(_ layer: Int) throws -> BlockWeights {
      let name = "h.\(layer)."
      func linear(_ module: String, from inputs: Int, to outputs: Int) throws -> Linear {
        try reader.linear(name + module, .outputInput, from: inputs, to: outputs, hasBias: true)
      }
      return BlockWeights(
        attentionNorm: try reader.norm(name + "input_layernorm", dModel, hasBias: true),
        attention: AttentionWeights(
          projections: .fused(
            try linear("self_attention.query_key_value", from: dModel, to: 3 * dModel), .byHead),
          output: try linear("self_attention.dense", from: dModel, to: dModel)),
        mlpNorm: try reader.norm(name + "post_attention_layernorm", dModel, hasBias: true),
        mlp: MLPWeights(
          input: try linear("mlp.dense_h_to_4h", from: dModel, to: dMLP),
          output: try linear("mlp.dense_4h_to_h", from: dMLP, to: dModel)))
    }
    return WeightParts(
      embedding: {
        EmbeddingWeights(
          tokens: try reader.weight("word_embeddings.weight", [vocabulary, dModel]),
          norm: try reader.norm("word_embeddings_layernorm", dModel, hasBias: true))
      }, block: block,
      output: {
        OutputWeights(
          finalNorm: try reader.norm("ln_f", dModel, hasBias: true),
          unembedding: configuration.tiesEmbeddings
            ? nil : Linear(try reader.weight("lm_head.weight", [vocabulary, dModel]), .outputInput))
      })
  }
}
