// Phi 1, 1.5 and 2 (Gunasekar et al. 2023): attention and MLP side by side behind one norm, part of each head turned by
// its position, biases everywhere.

import Checkpoints
import Files
import Tensors

enum PhiFamily: ModelFamily {
  static let modelType = "phi"
  static let title = "Phi 1 to 2"
  static let refusals = "normalised queries and keys"

  static func configuration(_ options: inout ConfigurationReader) throws -> TransformerConfiguration {
    let sizes = try DecoderSizes(&options)
    try options.require("qk_layernorm", .boolean(false))
    let rotary = try RotaryConfiguration(
      reading: &options, headWidth: sizes.dHead, context: sizes.context, share: 0.5)
    return sizes.configuration(
      family: modelType,
      normalization: .layer(epsilon: Float(try options.positiveNumber("layer_norm_eps", default: 1e-5))),
      activation: try options.choice("hidden_act", default: "gelu_new", hiddenActivations),
      mlp: .plain, residual: .parallel, attention: sizes.attention(rotary: rotary),
      tiesEmbeddings: try options.truth("tie_word_embeddings", default: false))
  }

  static func weights(
    _ checkpoint: SafetensorsCheckpoint, _ configuration: TransformerConfiguration
  ) throws -> WeightParts {
    let reader = WeightReader(checkpoint, optionalPrefix: "model.", probe: "embed_tokens.weight")
    let (dModel, dMLP, vocabulary) = (configuration.dModel, configuration.dMLP, configuration.vocabulary)
    let (queries, keys) = (
      configuration.heads * configuration.dHead, configuration.keyValueHeads * configuration.dHead
    )
    func block(_ layer: Int) throws -> BlockWeights {
      let name = "layers.\(layer)."
      func linear(_ module: String, from inputs: Int, to outputs: Int) throws -> Linear {
        try reader.linear(name + module, .outputInput, from: inputs, to: outputs, hasBias: true)
      }
      var block = BlockWeights(
        attentionNorm: try reader.norm(name + "input_layernorm", dModel, hasBias: true),
        attention: AttentionWeights(
          projections: .separate(
            queries: try linear("self_attn.q_proj", from: dModel, to: queries),
            keys: try linear("self_attn.k_proj", from: dModel, to: keys),
            values: try linear("self_attn.v_proj", from: dModel, to: keys)),
          output: try linear("self_attn.dense", from: queries, to: dModel)),
        mlp: MLPWeights(
          input: try linear("mlp.fc1", from: dModel, to: dMLP),
          output: try linear("mlp.fc2", from: dMLP, to: dModel)))
      block.sharesNorm = true
      return block
    }
    return WeightParts(
      embedding: {
        EmbeddingWeights(tokens: try reader.weight("embed_tokens.weight", [vocabulary, dModel]))
      },
      block: block,
      output: {
        let bias = try reader.optionalTensor("lm_head.bias", [vocabulary])
        return OutputWeights(
          finalNorm: try reader.norm("final_layernorm", dModel, hasBias: true),
          unembedding: configuration.tiesEmbeddings
            ? nil
            : Linear(try reader.weight("lm_head.weight", [vocabulary, dModel]), .outputInput, bias: bias),
          tiedBias: configuration.tiesEmbeddings ? bias : nil)
      })
  }
}
