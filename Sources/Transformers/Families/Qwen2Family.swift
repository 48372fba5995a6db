// Qwen 2 and 2.5 (Yang et al. 2024): Llama's blocks with biases on queries, keys and values.

import Checkpoints
import Tensors

enum Qwen2Family: ModelFamily {
  static let modelType = "qwen2"
  static let title = "Qwen 2 and 2.5"

  static func configuration(_ options: inout ConfigurationReader) throws -> TransformerConfiguration {
    let sizes = try DecoderSizes(&options)
    let rotary = try RotaryConfiguration(
      reading: &options, headWidth: sizes.dHead, context: sizes.context)
    let windows = try qwenWindows(&options, layers: sizes.layers)
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
    try DecoderTensors(hasInputBias: true).weights(checkpoint, configuration)
  }
}

/// Each layer's window: none unless `use_sliding_window` says so, and then from layer `max_window_layers` on.
func qwenWindows(_ options: inout ConfigurationReader, layers: Int) throws -> [Int?] {
  let isUsed = try options.truth("use_sliding_window", default: false)
  let window = try options.optionalCount("sliding_window")
  let first = try options.optionalCount("max_window_layers", minimum: 0) ?? layers
  let isSliding = try slidingLayers(&options, layers: layers) { isUsed && $0 >= first }
  return isSliding.map { $0 && isUsed ? window : nil }
}
