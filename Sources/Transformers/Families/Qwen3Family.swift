// Qwen 3 (Yang et al. 2025): Qwen 2 without biases, each query and key normalised.

import Checkpoints
import Tensors

enum Qwen3Family: ModelFamily {
  static let modelType = "qwen3"
  static let title = "Qwen 3"

  static func configuration(_ options: inout ConfigurationReader) throws -> TransformerConfiguration {
    let sizes = try DecoderSizes(&options, headWidth: 128)
    let rotary = try RotaryConfiguration(
      reading: &options, headWidth: sizes.dHead, context: sizes.context)
    let windows = try qwenWindows(&options, layers: sizes.layers)
    _ = try options.truth("attention_bias", default: false)
    return sizes.configuration(
      family: modelType,
      normalization: .rootMeanSquare(
        epsilon: Float(try options.positiveNumber("rms_norm_eps", default: 1e-6)), gainOffset: 0),
      activation: try options.choice("hidden_act", default: "silu", hiddenActivations),
      attention: windows.map { window in
        AttentionConfiguration(rule: AttentionRule(scale: sizes.scoreScale, window: window), rotary: rotary)
      },
      tiesEmbeddings: try options.truth("tie_word_embeddings", default: false))
  }

  static func weights(
    _ checkpoint: SafetensorsCheckpoint, _ configuration: TransformerConfiguration
  ) throws -> WeightParts {
    let layer = "model.layers.\(checkpoint.firstLayer).self_attn."
    return try DecoderTensors(
      hasInputBias: checkpoint.contains(layer + "q_proj.bias"),
      hasOutputBias: checkpoint.contains(layer + "o_proj.bias"),
      headNorms: (configuration.dHead, configuration.dHead)
    ).weights(checkpoint, configuration)
  }
}
