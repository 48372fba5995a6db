// Command R (Cohere 2024): attention and MLP side by side behind one norm without bias, neighbouring coordinates turned, a
// factor on logits; queries and keys may be normalised with gains of each head's own.

import Checkpoints
import Files
import Tensors

enum CohereFamily: ModelFamily {
  static let modelType = "cohere"
  static let title = "Command R (Cohere)"

  static func configuration(_ options: inout ConfigurationReader) throws -> TransformerConfiguration {
    let sizes = try DecoderSizes(&options)
    let rotary = try RotaryConfiguration(
      reading: &options, headWidth: sizes.dHead, context: sizes.context, defaultBase: 500_000,
      pairing: .neighbours)
    _ = try options.truth("attention_bias", default: false)
    _ = try options.truth("use_qk_norm", default: false)
    var configuration = sizes.configuration(
      family: modelType,
      normalization: .layer(epsilon: Float(try options.positiveNumber("layer_norm_eps", default: 1e-5))),
      activation: try options.choice("hidden_act", default: "silu", hiddenActivations),
      residual: .parallel, attention: sizes.attention(rotary: rotary),
      tiesEmbeddings: try options.truth("tie_word_embeddings", default: true))
    configuration.logitScale = Float(try options.positiveNumber("logit_scale", default: 0.0625))
    return configuration
  }

  static func weights(
    _ checkpoint: SafetensorsCheckpoint, _ configuration: TransformerConfiguration
  ) throws -> TransformerWeights {
    let layer = "model.layers.0.self_attn."
    let dHead = configuration.dHead
    return try DecoderTensors(
      hasInputBias: checkpoint.contains(layer + "q_proj.bias"),
      hasOutputBias: checkpoint.contains(layer + "o_proj.bias"),
      headNorms: checkpoint.contains(layer + "q_norm.weight")
        ? (configuration.heads * dHead, configuration.keyValueHeads * dHead) : nil,
      norms: .shared
    ).weights(checkpoint, configuration)
  }
}
