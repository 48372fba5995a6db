// Starcoder 2 (Lozhkov et al. 2024): grouped queries and rotary positions with layer norms, a plain MLP and biases
// everywhere.

import Checkpoints
import Files
import Tensors

enum Starcoder2Family: ModelFamily {
  static let modelType = "starcoder2"
  static let title = "Starcoder 2"

  static func configuration(_ options: inout ConfigurationReader) throws -> TransformerConfiguration {
    let sizes = try DecoderSizes(&options)
    let rotary = try RotaryConfiguration(
      reading: &options, headWidth: sizes.dHead, context: sizes.context)
    let window = try options.optionalCount("sliding_window")
    _ = try options.truth("use_bias", default: true)
    try options.require("mlp_type", .string("default"))
    try options.require("norm_type", .string("layer_norm"))
    return sizes.configuration(
      family: modelType,
      normalization: .layer(epsilon: Float(try options.positiveNumber("norm_epsilon", default: 1e-5))),
      activation: try options.choice("hidden_act", default: "gelu_pytorch_tanh", hiddenActivations),
      mlp: .plain, attention: sizes.attention(rotary: rotary, window: window),
      tiesEmbeddings: try options.truth("tie_word_embeddings", default: true))
  }

  static func weights(
    _ checkpoint: SafetensorsCheckpoint, _ configuration: TransformerConfiguration
  ) throws -> WeightParts {
    let hasBias = checkpoint.contains("model.layers.\(checkpoint.firstLayer).self_attn.q_proj.bias")
    return try DecoderTensors(
      hasInputBias: hasBias, hasOutputBias: hasBias, hasMLPBias: hasBias, hasNormBias: true, mlpForm: .plain
    ).weights(checkpoint, configuration)
  }
}
