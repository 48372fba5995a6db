// Command R7B and Command A (Cohere 2025): Command R with three layers of four looking back over a window; the fourth sees
// everything and turns nothing.

import Checkpoints
import Files
import Tensors

enum Cohere2Family: ModelFamily {
  static let modelType = "cohere2"
  static let title = "Command R7B and A (Cohere 2)"
  static let refusals = "normalised queries and keys"

  static func configuration(_ options: inout ConfigurationReader) throws -> TransformerConfiguration {
    let sizes = try DecoderSizes(&options)
    let rotary = try RotaryConfiguration(
      reading: &options, headWidth: sizes.dHead, context: sizes.context, defaultBase: 500_000,
      pairing: .neighbours)
    _ = try options.truth("attention_bias", default: false)
    try options.require("use_qk_norm", .boolean(false))
    let window = try options.optionalCount("sliding_window") ?? 4096
    let stored = try options.optionalCount("_sliding_window_pattern")
    let period = try options.optionalCount("sliding_window_pattern") ?? stored ?? 4
    let isSliding = try slidingLayers(&options, layers: sizes.layers) { ($0 + 1) % period != 0 }
    var configuration = sizes.configuration(
      family: modelType,
      normalization: .layer(epsilon: Float(try options.positiveNumber("layer_norm_eps", default: 1e-5))),
      activation: try options.choice("hidden_act", default: "silu", hiddenActivations),
      residual: .parallel,
      attention: isSliding.map { isSliding in
        AttentionConfiguration(
          rule: AttentionRule(scale: sizes.scoreScale, window: isSliding ? window : nil),
          rotary: isSliding ? rotary : nil)
      },
      tiesEmbeddings: try options.truth("tie_word_embeddings", default: true))
    configuration.logitScale = Float(try options.positiveNumber("logit_scale", default: 0.0625))
    return configuration
  }

  static func weights(
    _ checkpoint: SafetensorsCheckpoint, _ configuration: TransformerConfiguration
  ) throws -> TransformerWeights {
    let layer = "model.layers.0.self_attn."
    return try DecoderTensors(
      hasInputBias: checkpoint.contains(layer + "q_proj.bias"),
      hasOutputBias: checkpoint.contains(layer + "o_proj.bias"),
      norms: .shared
    ).weights(checkpoint, configuration)
  }
}
