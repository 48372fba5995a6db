// GLM 4 of 2024 (Zeng et al.): Llama's blocks with half of each head turned, neighbouring coordinates together, and gate
// and other part of the MLP in one matrix. GLM 4 of 2025 (0414) has norms behind attention and MLP as well.

import Checkpoints
import Files
import Tensors

enum GLMFamily: ModelFamily {
  static let modelType = "glm"
  static let title = "GLM 4 (2024)"

  static func configuration(_ options: inout ConfigurationReader) throws -> TransformerConfiguration {
    try glmConfiguration(&options, family: modelType)
  }

  static func weights(
    _ checkpoint: SafetensorsCheckpoint, _ configuration: TransformerConfiguration
  ) throws -> WeightParts {
    try glmTensors(checkpoint, norms: .before).weights(checkpoint, configuration)
  }
}

enum GLM4Family: ModelFamily {
  static let modelType = "glm4"
  static let title = "GLM 4 (2025)"

  static func configuration(_ options: inout ConfigurationReader) throws -> TransformerConfiguration {
    try glmConfiguration(&options, family: modelType)
  }

  static func weights(
    _ checkpoint: SafetensorsCheckpoint, _ configuration: TransformerConfiguration
  ) throws -> WeightParts {
    try glmTensors(checkpoint, norms: .aroundRenamed).weights(checkpoint, configuration)
  }
}

private func glmConfiguration(
  _ options: inout ConfigurationReader, family: String
) throws -> TransformerConfiguration {
  let sizes = try DecoderSizes(&options, headWidth: 128)
  let rotary = try RotaryConfiguration(
    reading: &options, headWidth: sizes.dHead, context: sizes.context, share: 0.5, pairing: .neighbours)
  _ = try options.truth("attention_bias", default: true)
  return sizes.configuration(
    family: family,
    normalization: .rootMeanSquare(
      epsilon: Float(try options.positiveNumber("rms_norm_eps", default: 1.5625e-7)), gainOffset: 0),
    activation: try options.choice("hidden_act", default: "silu", hiddenActivations),
    attention: sizes.attention(rotary: rotary),
    tiesEmbeddings: try options.truth("tie_word_embeddings", default: false))
}

private func glmTensors(
  _ checkpoint: SafetensorsCheckpoint, norms: DecoderTensors.Norms
) -> DecoderTensors {
  DecoderTensors(
    hasInputBias: checkpoint.contains("model.layers.\(checkpoint.firstLayer).self_attn.q_proj.bias"),
    norms: norms, mlpForm: .fused)
}
