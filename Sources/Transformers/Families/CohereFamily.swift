// Command R (Cohere 2024): attention and MLP side by side behind one norm, neighbouring coordinates turned together, and a
// factor on logits. Command R7B and Command A (2025) have three layers of four looking back over a window; the fourth sees
// everything and turns nothing.

import Checkpoints
import Files
import Tensors

enum CohereFamily: ModelFamily {
  static let modelType = "cohere"
  static let title = "Command R (Cohere)"

  static func configuration(_ options: inout ConfigurationReader) throws -> TransformerConfiguration {
    _ = try options.truth("use_qk_norm", default: false)
    return try cohereConfiguration(&options, family: modelType) { sizes, rotary, _ in
      sizes.attention(rotary: rotary)
    }
  }

  static func weights(
    _ checkpoint: SafetensorsCheckpoint, _ configuration: TransformerConfiguration
  ) throws -> WeightParts {
    let dHead = configuration.dHead
    var tensors = cohereTensors(checkpoint)
    if checkpoint.contains("model.layers.\(checkpoint.firstLayer).self_attn.q_norm.weight") {
      tensors.headNorms = (configuration.heads * dHead, configuration.keyValueHeads * dHead)
    }
    return try tensors.weights(checkpoint, configuration)
  }
}

enum Cohere2Family: ModelFamily {
  static let modelType = "cohere2"
  static let title = "Command R7B and A (Cohere 2)"
  static let refusals = "normalised queries and keys"

  static func configuration(_ options: inout ConfigurationReader) throws -> TransformerConfiguration {
    try options.require("use_qk_norm", .boolean(false))
    return try cohereConfiguration(&options, family: modelType) { sizes, rotary, options in
      let window = try options.optionalCount("sliding_window") ?? 4096
      let stored = try options.optionalCount("_sliding_window_pattern")
      let period = try options.optionalCount("sliding_window_pattern") ?? stored ?? 4
      return try slidingLayers(&options, layers: sizes.layers) { ($0 + 1) % period != 0 }.map { isSliding in
        AttentionConfiguration(
          rule: AttentionRule(scale: sizes.scoreScale, window: isSliding ? window : nil),
          rotary: isSliding ? rotary : nil)
      }
    }
  }

  static func weights(
    _ checkpoint: SafetensorsCheckpoint, _ configuration: TransformerConfiguration
  ) throws -> WeightParts {
    try cohereTensors(checkpoint).weights(checkpoint, configuration)
  }
}

private func cohereConfiguration(
  _ options: inout ConfigurationReader, family: String,
  attention: (DecoderSizes, RotaryConfiguration?, inout ConfigurationReader) throws ->
    [AttentionConfiguration]
) throws -> TransformerConfiguration {
  let sizes = try DecoderSizes(&options)
  let rotary = try RotaryConfiguration(
    reading: &options, headWidth: sizes.dHead, context: sizes.context, defaultBase: 500_000,
    pairing: .neighbours)
  _ = try options.truth("attention_bias", default: false)
  var configuration = sizes.configuration(
    family: family,
    normalization: .layer(epsilon: Float(try options.positiveNumber("layer_norm_eps", default: 1e-5))),
    activation: try options.choice("hidden_act", default: "silu", hiddenActivations), residual: .parallel,
    attention: try attention(sizes, rotary, &options),
    tiesEmbeddings: try options.truth("tie_word_embeddings", default: true))
  configuration.logitScale = Float(try options.positiveNumber("logit_scale", default: 0.0625))
  return configuration
}

private func cohereTensors(_ checkpoint: SafetensorsCheckpoint) -> DecoderTensors {
  let layer = "model.layers.\(checkpoint.firstLayer).self_attn."
  return DecoderTensors(
    hasInputBias: checkpoint.contains(layer + "q_proj.bias"),
    hasOutputBias: checkpoint.contains(layer + "o_proj.bias"), norms: .shared)
}
