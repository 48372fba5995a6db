// OPT (Zhang et al. 2022): GPT-2's blocks with ReLU and separate projections; the first two rows of the position table
// stand for no position.

import Checkpoints
import Files
import Tensors

enum OPTFamily: ModelFamily {
  static let modelType = "opt"
  static let title = "OPT"
  static let refusals = "OPT-350m, which normalises behind its modules"

  static func configuration(_ options: inout ConfigurationReader) throws -> TransformerConfiguration {
    let layers = try options.count("num_hidden_layers")
    let heads = try options.count("num_attention_heads")
    let dModel = try options.count("hidden_size")
    guard dModel % heads == 0 else {
      throw options.bad("num_attention_heads", "must divide hidden_size, which is \(dModel), but is \(heads)")
    }
    // OPT-350m alone normalises behind its modules and embeds into another width.
    try options.require("do_layer_norm_before", .boolean(true))
    try options.require("word_embed_proj_dim", .integer(dModel))
    // Which parameters there are is seen from the tensors.
    for option in ["enable_bias", "layer_norm_elementwise_affine", "_remove_final_layer_norm"] {
      _ = try options.truth(option, default: true)
    }
    let dHead = dModel / heads
    return TransformerConfiguration(
      family: modelType, layers: layers, heads: heads, keyValueHeads: heads, dModel: dModel, dHead: dHead,
      dMLP: try options.count("ffn_dim"), vocabulary: try options.count("vocab_size"),
      context: try options.count("max_position_embeddings"), normalization: .layer(epsilon: 1e-5),
      positions: .learned,
      activation: try options.choice("activation_function", default: "relu", hiddenActivations), mlp: .plain,
      attention: Array(
        repeating: AttentionConfiguration(rule: AttentionRule(scale: 1 / Float(dHead).squareRoot())),
        count: layers),
      tiesEmbeddings: try options.truth("tie_word_embeddings", default: true))
  }

  static func weights(
    _ checkpoint: SafetensorsCheckpoint, _ configuration: TransformerConfiguration
  ) throws -> TransformerWeights {
    let prefix = checkpoint.contains("decoder.embed_tokens.weight") ? "decoder." : "model.decoder."
    let reader = WeightReader(checkpoint, optionalPrefix: prefix, probe: "embed_tokens.weight")
    let (dModel, dMLP, vocabulary) = (configuration.dModel, configuration.dMLP, configuration.vocabulary)
    func norm(_ name: String) throws -> NormWeights {
      NormWeights(
        gain: try reader.optionalTensor(name + ".weight", [dModel]),
        bias: try reader.optionalTensor(name + ".bias", [dModel]))
    }
    let blocks = try (0..<configuration.layers).map { layer in
      let name = "layers.\(layer)."
      func linear(_ module: String, from inputs: Int, to outputs: Int) throws -> Linear {
        try reader.linear(
          name + module, .outputInput, from: inputs, to: outputs,
          hasBias: reader.contains(name + module + ".bias"))
      }
      return BlockWeights(
        attentionNorm: try norm(name + "self_attn_layer_norm"),
        attention: AttentionWeights(
          projections: .separate(
            queries: try linear("self_attn.q_proj", from: dModel, to: dModel),
            keys: try linear("self_attn.k_proj", from: dModel, to: dModel),
            values: try linear("self_attn.v_proj", from: dModel, to: dModel)),
          output: try linear("self_attn.out_proj", from: dModel, to: dModel)),
        mlpNorm: try norm(name + "final_layer_norm"),
        mlp: MLPWeights(
          input: try linear("fc1", from: dModel, to: dMLP), output: try linear("fc2", from: dMLP, to: dModel))
      )
    }
    let positions = try reader.tensor("embed_positions.weight", [configuration.context + 2, dModel])
    return TransformerWeights(
      tokenEmbedding: try reader.weight("embed_tokens.weight", [vocabulary, dModel]),
      positionEmbedding: positions.rows(2..<configuration.context + 2), blocks: blocks,
      finalNorm: reader.contains("final_layer_norm.weight") ? try norm("final_layer_norm") : nil,
      unembedding: configuration.tiesEmbeddings
        ? nil : Linear(try reader.weight("lm_head.weight", [vocabulary, dModel]), .outputInput))
  }
}
