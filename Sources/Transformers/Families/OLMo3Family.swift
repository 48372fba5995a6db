// OLMo 3 (Ettinger et al. 2025): OLMo 2 with three layers of four looking back over a window, whose angles are not
// stretched.

import Checkpoints
import Files
import Tensors

enum OLMo3Family: ModelFamily {
  static let modelType = "olmo3"
  static let title = "OLMo 3"

  static func configuration(_ options: inout ConfigurationReader) throws -> TransformerConfiguration {
    let sizes = try DecoderSizes(&options)
    let window = try options.optionalCount("sliding_window") ?? 4096
    let isSliding = try slidingLayers(&options, layers: sizes.layers) { ($0 + 1) % 4 != 0 }
    let parameters = options.value("rope_parameters")
    let global = try RotaryConfiguration(
      reading: &options, headWidth: sizes.dHead, context: sizes.context, defaultBase: 500_000,
      kind: "full_attention")
    let local = try RotaryConfiguration(
      parameters: parameters?["sliding_attention"] ?? .object([]), path: options.path, headWidth: sizes.dHead,
      base: global.base, share: 1, context: sizes.context)
    _ = try options.truth("attention_bias", default: false)
    var configuration = sizes.configuration(
      family: modelType,
      normalization: .rootMeanSquare(
        epsilon: Float(try options.positiveNumber("rms_norm_eps", default: 1e-5)), gainOffset: 0),
      activation: try options.choice("hidden_act", default: "silu", hiddenActivations),
      attention: isSliding.map { isSliding in
        AttentionConfiguration(
          rule: AttentionRule(scale: sizes.scoreScale, window: isSliding ? window : nil),
          rotary: isSliding ? local : global)
      },
      tiesEmbeddings: try options.truth("tie_word_embeddings", default: false))
    configuration.headNormSpan = .all
    return configuration
  }

  static func weights(
    _ checkpoint: SafetensorsCheckpoint, _ configuration: TransformerConfiguration
  ) throws -> WeightParts {
    try olmoTensors(checkpoint, configuration).weights(checkpoint, configuration)
  }
}
