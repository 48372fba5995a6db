// GLM 4 of 2025 (0414): GLM with norms behind attention and MLP as well.

import Checkpoints
import Files
import Tensors

enum GLM4Family: ModelFamily {
  static let modelType = "glm4"
  static let title = "GLM 4 (2025)"

  static func configuration(_ options: inout ConfigurationReader) throws -> TransformerConfiguration {
    let sizes = try DecoderSizes(&options, headWidth: 128)
    let rotary = try RotaryConfiguration(
      reading: &options, headWidth: sizes.dHead, context: sizes.context, share: 0.5,
      pairing: .neighbours)
    _ = try options.truth("attention_bias", default: true)
    return sizes.configuration(
      family: modelType,
      normalization: .rootMeanSquare(
        epsilon: Float(try options.positiveNumber("rms_norm_eps", default: 1.5625e-7)), gainOffset: 0),
      activation: try options.choice("hidden_act", default: "silu", hiddenActivations),
      attention: sizes.attention(rotary: rotary),
      tiesEmbeddings: try options.truth("tie_word_embeddings", default: false))
  }

  static func weights(
    _ checkpoint: SafetensorsCheckpoint, _ configuration: TransformerConfiguration
  ) throws -> TransformerWeights {
    try DecoderTensors(
      hasInputBias: checkpoint.contains("model.layers.0.self_attn.q_proj.bias"), norms: .aroundRenamed,
      mlpForm: .fused
    ).weights(checkpoint, configuration)
  }
}
