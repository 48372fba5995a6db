// OLMo (Groeneveld et al. 2024): Llama's blocks with layer norms that have no parameters; queries, keys and values may be
// cut.

import Checkpoints
import Files
import Tensors

enum OLMoFamily: ModelFamily {
  static let modelType = "olmo"
  static let title = "OLMo"

  static func configuration(_ options: inout ConfigurationReader) throws -> TransformerConfiguration {
    let sizes = try DecoderSizes(&options)
    let rotary = try RotaryConfiguration(
      reading: &options, headWidth: sizes.dHead, context: sizes.context)
    _ = try options.truth("attention_bias", default: false)
    var configuration = sizes.configuration(
      family: modelType, normalization: .layer(epsilon: 1e-5),
      activation: try options.choice("hidden_act", default: "silu", hiddenActivations),
      attention: sizes.attention(rotary: rotary),
      tiesEmbeddings: try options.truth("tie_word_embeddings", default: false))
    configuration.projectionLimit = try options.optionalNumber("clip_qkv").map { Float($0) }
    return configuration
  }

  static func weights(
    _ checkpoint: SafetensorsCheckpoint, _ configuration: TransformerConfiguration
  ) throws -> WeightParts {
    let layer = "model.layers.\(checkpoint.firstLayer).self_attn."
    return try DecoderTensors(
      hasInputBias: checkpoint.contains(layer + "q_proj.bias"),
      hasOutputBias: checkpoint.contains(layer + "o_proj.bias"),
      hasNormGain: false
    ).weights(checkpoint, configuration)
  }
}
