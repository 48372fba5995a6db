// Gemma 3's language model (Kamath et al. 2025): Gemma 2 with normalised queries and keys in place of caps, five layers
// of six looking back over a window, with a rotary base of their own.

import Checkpoints
import Files
import Tensors

enum Gemma3Family: ModelFamily {
  static let modelType = "gemma3_text"
  static let title = "Gemma 3 (text)"
  static let refusals = "bidirectional attention"

  static func configuration(_ options: inout ConfigurationReader) throws -> TransformerConfiguration {
    let sizes = try DecoderSizes(&options, headWidth: 256)
    try options.require("use_bidirectional_attention", .boolean(false))
    try options.require("attention_bias", .boolean(false))
    let scale = 1 / Float(try options.positiveNumber("query_pre_attn_scalar", default: 256)).squareRoot()
    let window = try options.optionalCount("sliding_window") ?? 4096
    let cap = try options.optionalNumber("attn_logit_softcapping").map { Float($0) }
    let stored = try options.optionalCount("_sliding_window_pattern")
    let period = try options.optionalCount("sliding_window_pattern") ?? stored ?? 6
    let isSliding = try slidingLayers(&options, layers: sizes.layers) { ($0 + 1) % period != 0 }
    let (global, local) = try rotaries(&options, sizes)
    var configuration = sizes.configuration(
      family: modelType,
      normalization: .rootMeanSquare(
        epsilon: Float(try options.positiveNumber("rms_norm_eps", default: 1e-6)), gainOffset: 1),
      activation: try gemmaActivation(&options),
      attention: isSliding.map { isSliding in
        AttentionConfiguration(
          rule: AttentionRule(scale: scale, window: isSliding ? window : nil, scoreCap: cap),
          rotary: isSliding ? local : global)
      },
      tiesEmbeddings: try options.truth("tie_word_embeddings", default: true))
    configuration.embeddingScale = Float(sizes.dModel).squareRoot()
    configuration.logitCap = try options.optionalNumber("final_logit_softcapping").map { Float($0) }
    return configuration
  }

  /// The angles of layers that see everything, and of those that look back over a window.
  private static func rotaries(
    _ options: inout ConfigurationReader, _ sizes: DecoderSizes
  ) throws -> (global: RotaryConfiguration, local: RotaryConfiguration) {
    let headWidth = sizes.dHead
    let localBase = try options.positiveNumber("rope_local_base_freq", default: 10000)
    let global = try RotaryConfiguration(
      reading: &options, headWidth: headWidth, context: sizes.context, defaultBase: 1_000_000,
      kind: "full_attention")
    guard let local = options.value("rope_parameters")?["sliding_attention"] else {
      return (global, RotaryConfiguration(dimension: headWidth, base: localBase))
    }
    return (
      global,
      try RotaryConfiguration(
        parameters: local, path: options.path, headWidth: headWidth, base: localBase, share: 1,
        context: sizes.context)
    )
  }

  static func weights(
    _ checkpoint: SafetensorsCheckpoint, _ configuration: TransformerConfiguration
  ) throws -> WeightParts {
    try DecoderTensors(headNorms: (configuration.dHead, configuration.dHead), norms: .around).weights(
      checkpoint, configuration)
  }
}
