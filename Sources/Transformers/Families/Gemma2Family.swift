// Gemma 2 (Riviere et al. 2024): norms before and after each module with gains stored less one, capped scores and
// logits, every second layer looking back over a window, embeddings scaled by √d_model and tied.

import Checkpoints
import Files
import Tensors

enum Gemma2Family: ModelFamily {
  static let modelType = "gemma2"
  static let title = "Gemma 2"
  static let refusals = "bidirectional attention"

  static func configuration(_ options: inout ConfigurationReader) throws -> TransformerConfiguration {
    let sizes = try DecoderSizes(&options, headWidth: 256)
    let rotary = try RotaryConfiguration(
      reading: &options, headWidth: sizes.dHead, context: sizes.context)
    try options.require("use_bidirectional_attention", .boolean(false))
    try options.require("attention_bias", .boolean(false))
    let scale = 1 / Float(try options.positiveNumber("query_pre_attn_scalar", default: 256)).squareRoot()
    let window = try options.optionalCount("sliding_window") ?? 4096
    let cap = try options.optionalNumber("attn_logit_softcapping").map { Float($0) }
    let isSliding = try slidingLayers(&options, layers: sizes.layers) { $0 % 2 == 0 }
    var configuration = sizes.configuration(
      family: modelType,
      normalization: .rootMeanSquare(
        epsilon: Float(try options.positiveNumber("rms_norm_eps", default: 1e-6)), gainOffset: 1),
      activation: try gemmaActivation(&options),
      attention: isSliding.map { isSliding in
        AttentionConfiguration(
          rule: AttentionRule(scale: scale, window: isSliding ? window : nil, scoreCap: cap), rotary: rotary)
      },
      tiesEmbeddings: try options.truth("tie_word_embeddings", default: true))
    configuration.embeddingScale = Float(sizes.dModel).squareRoot()
    configuration.logitCap = try options.optionalNumber("final_logit_softcapping").map { Float($0) }
    return configuration
  }

  static func weights(
    _ checkpoint: SafetensorsCheckpoint, _ configuration: TransformerConfiguration
  ) throws -> WeightParts {
    try DecoderTensors(norms: .around).weights(checkpoint, configuration)
  }
}

/// `hidden_activation`, of which `hidden_act` is an older copy that the model does not read.
func gemmaActivation(_ options: inout ConfigurationReader) throws -> Activation {
  _ = try options.optionalText("hidden_act")
  return try options.choice("hidden_activation", default: "gelu_pytorch_tanh", hiddenActivations)
}
