// GLM 4 of 2024 (Zeng et al.): Llama's blocks with half of each head turned, neighbouring coordinates together, and gate
// and other part of the MLP in one matrix.

import Checkpoints
import Files
import Tensors

enum GLMFamily: ModelFamily {
  static let modelType = "glm"
  static let title = "GLM 4 (2024)"

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
      hasInputBias: checkpoint.contains("model.layers.0.self_attn.q_proj.bias"), mlpForm: .fused
    ).weights(checkpoint, configuration)
  }
}
