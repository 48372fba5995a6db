// SmolLM 3 (Hugging Face 2025): Llama's blocks, of which every fourth turns no queries and keys.

import Checkpoints
import Files
import Tensors

enum SmolLM3Family: ModelFamily {
  static let modelType = "smollm3"
  static let title = "SmolLM 3"

  static func configuration(_ options: inout ConfigurationReader) throws -> TransformerConfiguration {
    let sizes = try DecoderSizes(&options)
    let rotary = try RotaryConfiguration(
      reading: &options, headWidth: sizes.dHead, context: sizes.context, defaultBase: 2_000_000)
    _ = try options.truth("attention_bias", default: false)
    _ = try options.truth("mlp_bias", default: false)
    let interval = try options.optionalCount("no_rope_layer_interval") ?? 4
    let listed = options.value("no_rope_layers")?.elements?.compactMap(\.wholeNumber)
    let turns = listed?.map { $0 != 0 } ?? (0..<sizes.layers).map { ($0 + 1) % interval != 0 }
    guard turns.count == sizes.layers else {
      throw options.bad("no_rope_layers", "must list 1 or 0 for each of \(sizes.layers) layers")
    }
    let usesWindow = try options.truth("use_sliding_window", default: false)
    let window = usesWindow ? try options.optionalCount("sliding_window") : nil
    _ = options.value("sliding_window")
    let isSliding = try slidingLayers(&options, layers: sizes.layers) { !turns[$0] }
    return sizes.configuration(
      family: modelType,
      normalization: .rootMeanSquare(
        epsilon: Float(try options.positiveNumber("rms_norm_eps", default: 1e-6)), gainOffset: 0),
      activation: try options.choice("hidden_act", default: "silu", hiddenActivations),
      attention: zip(turns, isSliding).map { turns, isSliding in
        AttentionConfiguration(
          rule: AttentionRule(scale: sizes.scoreScale, window: isSliding ? window : nil),
          rotary: turns ? rotary : nil)
      },
      tiesEmbeddings: try options.truth("tie_word_embeddings", default: true))
  }

  static func weights(
    _ checkpoint: SafetensorsCheckpoint, _ configuration: TransformerConfiguration
  ) throws -> WeightParts {
    let layer = "model.layers.\(checkpoint.firstLayer)."
    return try DecoderTensors(
      hasInputBias: checkpoint.contains(layer + "self_attn.q_proj.bias"),
      hasOutputBias: checkpoint.contains(layer + "self_attn.o_proj.bias"),
      hasMLPBias: checkpoint.contains(layer + "mlp.up_proj.bias")
    ).weights(checkpoint, configuration)
  }
}
