// Falcon (Almazrouei et al. 2023): one matrix for queries, keys and values, in three layouts; attention and MLP side by
// side in most sizes, with one norm or two; rotary positions or scores that lean on distance (ALiBi).

import Checkpoints
import Files
import Tensors

enum FalconFamily: ModelFamily {
  static let modelType = "falcon"
  static let title = "Falcon"
  static let refusals = "residual connections behind norms"

  static func configuration(_ options: inout ConfigurationReader) throws -> TransformerConfiguration {
    let layers = try options.count("num_hidden_layers")
    let heads = try options.count("num_attention_heads")
    let dModel = try options.count("hidden_size")
    guard dModel % heads == 0 else {
      throw options.bad("num_attention_heads", "must divide hidden_size, which is \(dModel), but is \(heads)")
    }
    let dHead = dModel / heads
    let context = try options.optionalCount("max_position_embeddings") ?? 2048
    let isNew = try options.truth("new_decoder_architecture", default: false)
    let hasOneGroup = try options.truth("multi_query", default: true)
    let given = try options.optionalCount("num_kv_heads") ?? heads
    let groups = isNew ? given : hasOneGroup ? 1 : heads
    guard heads % groups == 0 else {
      throw options.bad("num_kv_heads", "must divide \(heads) heads, but is \(groups)")
    }
    let isParallel = try options.truth("parallel_attn", default: true)
    try options.require("apply_residual_connection_post_layernorm", .boolean(false))
    // Which norms and biases there are is seen from the tensors.
    _ = try options.optionalCount("num_ln_in_parallel_attn")
    _ = try options.truth("bias", default: false)
    let rotary = try RotaryConfiguration(reading: &options, headWidth: dHead, context: context)
    let leans = try options.truth("alibi", default: false)
    var rule = AttentionRule(scale: 1 / Float(dHead).squareRoot())
    // Hugging Face's eager attention adds these twice (transformers 5.24), its default attention once, as in training.
    if leans { rule.keyBias = KeyPositionBias(heads: heads, factor: rule.scale, isRounded: true) }
    return TransformerConfiguration(
      family: modelType, layers: layers, heads: heads, keyValueHeads: groups, dModel: dModel, dHead: dHead,
      dMLP: try options.optionalCount("ffn_hidden_size") ?? 4 * dModel,
      vocabulary: try options.count("vocab_size"), context: context,
      normalization: .layer(epsilon: Float(try options.positiveNumber("layer_norm_epsilon", default: 1e-5))),
      positions: leans ? .none : .rotary,
      activation: try options.choice("activation", default: "gelu", hiddenActivations), mlp: .plain,
      residual: isNew || isParallel ? .parallel : .sequential,
      attention: Array(
        repeating: AttentionConfiguration(rule: rule, rotary: leans ? nil : rotary), count: layers),
      tiesEmbeddings: try options.truth("tie_word_embeddings", default: true))
  }

  static func weights(
    _ checkpoint: SafetensorsCheckpoint, _ configuration: TransformerConfiguration
  ) throws -> WeightParts {
    let reader = WeightReader(
      checkpoint, optionalPrefix: "transformer.", probe: "word_embeddings.weight")
    let (dModel, vocabulary) = (configuration.dModel, configuration.vocabulary)
    return WeightParts(
      embedding: {
        EmbeddingWeights(tokens: try reader.weight("word_embeddings.weight", [vocabulary, dModel]))
      },
      block: { try block("h.\($0).", reader, configuration) },
      output: {
        OutputWeights(
          finalNorm: try reader.norm("ln_f", dModel, hasBias: true),
          unembedding: configuration.tiesEmbeddings
            ? nil : Linear(try reader.weight("lm_head.weight", [vocabulary, dModel]), .outputInput))
      })
  }

  private static func block(
    _ name: String, _ reader: WeightReader, _ configuration: TransformerConfiguration
  ) throws -> BlockWeights {
    let (dModel, dMLP, dHead) = (configuration.dModel, configuration.dMLP, configuration.dHead)
    func linear(_ module: String, from inputs: Int, to outputs: Int) throws -> Linear {
      try reader.linear(
        name + module, .outputInput, from: inputs, to: outputs,
        hasBias: reader.contains(name + module + ".bias"))
    }
    func norm(_ module: String) throws -> NormWeights {
      try reader.norm(name + module, dModel, hasBias: true)
    }
    let (heads, groups) = (configuration.heads, configuration.keyValueHeads)
    // With one group, a run of all queries followed by the key and the value is what `byGroup` says too.
    var block = BlockWeights(
      attentionNorm: nil,
      attention: AttentionWeights(
        projections: .fused(
          try linear("self_attention.query_key_value", from: dModel, to: (heads + 2 * groups) * dHead),
          .byGroup),
        output: try linear("self_attention.dense", from: dModel, to: dModel)),
      mlp: MLPWeights(
        input: try linear("mlp.dense_h_to_4h", from: dModel, to: dMLP),
        output: try linear("mlp.dense_4h_to_h", from: dMLP, to: dModel)))
    if reader.contains(name + "ln_attn.weight") {
      block.attentionNorm = try norm("ln_attn")
      block.mlpNorm = try norm("ln_mlp")
    } else {
      block.attentionNorm = try norm("input_layernorm")
      block.sharesNorm = configuration.residual == .parallel
      block.mlpNorm = block.sharesNorm ? nil : try norm("post_attention_layernorm")
    }
    return block
  }
}
