// Phi 3, 3.5 and 4 (Abdin et al. 2024): Llama's blocks with queries, keys and values in one matrix, gate and other part of
// the MLP in another, and angles that differ between short and long prompts.

import Checkpoints
import Files
import Tensors

enum Phi3Family: ModelFamily {
  static let modelType = "phi3"
  static let title = "Phi 3 to 4"

  static func configuration(_ options: inout ConfigurationReader) throws -> TransformerConfiguration {
    let sizes = try DecoderSizes(&options)
    let rotary = try RotaryConfiguration(
      reading: &options, headWidth: sizes.dHead, context: sizes.context)
    let window = try options.optionalCount("sliding_window")
    return sizes.configuration(
      family: modelType,
      normalization: .rootMeanSquare(
        epsilon: Float(try options.positiveNumber("rms_norm_eps", default: 1e-5)), gainOffset: 0),
      activation: try options.choice("hidden_act", default: "silu", hiddenActivations),
      attention: sizes.attention(rotary: rotary, window: window),
      tiesEmbeddings: try options.truth("tie_word_embeddings", default: false))
  }

  static func weights(
    _ checkpoint: SafetensorsCheckpoint, _ configuration: TransformerConfiguration
  ) throws -> WeightParts {
    try DecoderTensors(fusesProjections: true, mlpForm: .fused).weights(checkpoint, configuration)
  }
}
