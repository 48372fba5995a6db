// OLMo 2 (Walsh et al. 2025): Llama's blocks with norms behind attention and MLP rather than before them, and queries and
// keys of all heads normalised together.

import Checkpoints
import Files
import Tensors

enum OLMo2Family: ModelFamily {
  static let modelType = "olmo2"
  static let title = "OLMo 2"

  static func configuration(_ options: inout ConfigurationReader) throws -> TransformerConfiguration {
    let sizes = try DecoderSizes(&options)
    let rotary = try RotaryConfiguration(
      reading: &options, headWidth: sizes.dHead, context: sizes.context)
    _ = try options.truth("attention_bias", default: false)
    var configuration = sizes.configuration(
      family: modelType,
      normalization: .rootMeanSquare(
        epsilon: Float(try options.positiveNumber("rms_norm_eps", default: 1e-5)), gainOffset: 0),
      activation: try options.choice("hidden_act", default: "silu", hiddenActivations),
      attention: sizes.attention(rotary: rotary),
      tiesEmbeddings: try options.truth("tie_word_embeddings", default: false))
    configuration.headNormSpan = .all
    return configuration
  }

  static func weights(
    _ checkpoint: SafetensorsCheckpoint, _ configuration: TransformerConfiguration
  ) throws -> WeightParts {
    try olmoTensors(checkpoint, configuration).weights(checkpoint, configuration)
  }
}

/// What OLMo 2 and 3 have beside the matrices.
func olmoTensors(
  _ checkpoint: SafetensorsCheckpoint, _ configuration: TransformerConfiguration
) -> DecoderTensors {
  let layer = "model.layers.\(checkpoint.firstLayer).self_attn."
  return DecoderTensors(
    hasInputBias: checkpoint.contains(layer + "q_proj.bias"),
    hasOutputBias: checkpoint.contains(layer + "o_proj.bias"),
    headNorms: (
      configuration.heads * configuration.dHead, configuration.keyValueHeads * configuration.dHead
    ),
    norms: .behind)
}
