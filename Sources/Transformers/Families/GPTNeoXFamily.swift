// GPT-NeoX and Pythia (Black et al. 2022; Biderman et al. 2023): attention and MLP side by side, a quarter of each head
// turned by its position, one matrix with each head's query, key and value together.

import Checkpoints
import Files
import Tensors

enum GPTNeoXFamily: ModelFamily {
  static let modelType = "gpt_neox"
  static let title = "GPT-NeoX and Pythia"

  static func configuration(_ options: inout ConfigurationReader) throws -> TransformerConfiguration {
    let sizes = try DecoderSizes(&options)
    // Whether attention has biases is seen from the tensors.
    _ = try options.truth("attention_bias", default: true)
    // The names that older files use for the share of a head that is turned, and for the base of its angles.
    let share = try options.positiveNumber("rotary_pct", default: 0.25)
    let base = try options.positiveNumber("rotary_emb_base", default: 10000)
    let parameters = options.value("rope_parameters") ?? options.value("rope_scaling") ?? .object([])
    let rotary = try RotaryConfiguration(
      parameters: parameters, path: options.path, headWidth: sizes.dHead, base: base, share: share,
      context: sizes.context)
    let isParallel = try options.truth("use_parallel_residual", default: true)
    return TransformerConfiguration(
      family: modelType, layers: sizes.layers, heads: sizes.heads, keyValueHeads: sizes.heads,
      dModel: sizes.dModel, dHead: sizes.dHead, dMLP: sizes.dMLP, vocabulary: sizes.vocabulary,
      context: sizes.context,
      normalization: .layer(epsilon: Float(try options.positiveNumber("layer_norm_eps", default: 1e-5))),
      positions: .rotary, activation: try options.choice("hidden_act", default: "gelu", hiddenActivations),
      mlp: .plain, residual: isParallel ? .parallel : .sequential,
      attention: Array(
        repeating: AttentionConfiguration(rule: AttentionRule(scale: sizes.scoreScale), rotary: rotary),
        count: sizes.layers),
      tiesEmbeddings: try options.truth("tie_word_embeddings", default: false))
  }

  static func weights(
    _ checkpoint: SafetensorsCheckpoint, _ configuration: TransformerConfiguration
  ) throws -> WeightParts {
    let reader = WeightReader(checkpoint)
    // Newer files may name it as other families do.
    let unembedding = reader.contains("embed_out.weight") ? "embed_out.weight" : "lm_head.weight"
    let (dModel, dMLP, vocabulary) = (configuration.dModel, configuration.dMLP, configuration.vocabulary)
    func block(_ layer: Int) throws -> BlockWeights {
      let name = "gpt_neox.layers.\(layer)."
      func linear(_ module: String, from inputs: Int, to outputs: Int) throws -> Linear {
        try reader.linear(
          name + module, .outputInput, from: inputs, to: outputs,
          hasBias: reader.contains(name + module + ".bias"))
      }
      return BlockWeights(
        attentionNorm: try reader.norm(name + "input_layernorm", dModel, hasBias: true),
        attention: AttentionWeights(
          projections: .fused(
            try linear("attention.query_key_value", from: dModel, to: 3 * dModel), .byHead),
          output: try linear("attention.dense", from: dModel, to: dModel)),
        mlpNorm: try reader.norm(name + "post_attention_layernorm", dModel, hasBias: true),
        mlp: MLPWeights(
          input: try linear("mlp.dense_h_to_4h", from: dModel, to: dMLP),
          output: try linear("mlp.dense_4h_to_h", from: dMLP, to: dModel)))
    }
    return WeightParts(
      embedding: {
        EmbeddingWeights(tokens: try reader.weight("gpt_neox.embed_in.weight", [vocabulary, dModel]))
      }, block: block,
      output: {
        OutputWeights(
          finalNorm: try reader.norm("gpt_neox.final_layer_norm", dModel, hasBias: true),
          unembedding: configuration.tiesEmbeddings
            ? nil : Linear(try reader.weight(unembedding, [vocabulary, dModel]), .outputInput))
      })
  }
}
