// Mistral (Jiang et al. 2023): Llama's blocks, every layer looking back over a sliding window.

import Checkpoints
import Tensors

enum MistralFamily: ModelFamily {
  static let modelType = "mistral"
  static let title = "Mistral"

  static func configuration(_ options: inout ConfigurationReader) throws -> TransformerConfiguration {
    let sizes = try DecoderSizes(&options)
    let rotary = try RotaryConfiguration(
      reading: &options, headWidth: sizes.dHead, context: sizes.context)
    let window = try options.optionalCount("sliding_window")
    return sizes.configuration(
      family: modelType,
      normalization: .rootMeanSquare(
        epsilon: Float(try options.positiveNumber("rms_norm_eps", default: 1e-6)), gainOffset: 0),
      activation: try options.choice("hidden_act", default: "silu", hiddenActivations),
      attention: Array(
        repeating: AttentionConfiguration(
          rule: AttentionRule(scale: sizes.scoreScale, window: window), rotary: rotary),
        count: sizes.layers),
      tiesEmbeddings: try options.truth("tie_word_embeddings", default: false))
  }

  static func weights(
    _ checkpoint: SafetensorsCheckpoint, _ configuration: TransformerConfiguration
  ) throws -> WeightParts {
    try DecoderTensors().weights(checkpoint, configuration)
  }
}
