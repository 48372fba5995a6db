// StableLM (Bellagente et al. 2024): Llama's blocks with layer norms and a quarter of each head turned; attention and MLP
// may run side by side behind one norm.

import Checkpoints
import Files
import Tensors

enum StableLMFamily: ModelFamily {
  static let modelType = "stablelm"
  static let title = "StableLM"
  static let refusals = "normalised queries and keys"

  static func configuration(_ options: inout ConfigurationReader) throws -> TransformerConfiguration {
    let sizes = try DecoderSizes(&options)
    try options.require("qk_layernorm", .boolean(false))
    _ = try options.truth("use_qkv_bias", default: false)
    let rotary = try RotaryConfiguration(
      reading: &options, headWidth: sizes.dHead, context: sizes.context, share: 0.25)
    let isParallel = try options.truth("use_parallel_residual", default: false)
    return sizes.configuration(
      family: modelType,
      normalization: .layer(epsilon: Float(try options.positiveNumber("layer_norm_eps", default: 1e-5))),
      activation: try options.choice("hidden_act", default: "silu", hiddenActivations),
      residual: isParallel ? .parallel : .sequential, attention: sizes.attention(rotary: rotary),
      tiesEmbeddings: try options.truth("tie_word_embeddings", default: false))
  }

  static func weights(
    _ checkpoint: SafetensorsCheckpoint, _ configuration: TransformerConfiguration
  ) throws -> WeightParts {
    try DecoderTensors(
      hasInputBias: checkpoint.contains("model.layers.\(checkpoint.firstLayer).self_attn.q_proj.bias"),
      norms: configuration.residual == .parallel ? .shared : .before, hasNormBias: true
    ).weights(checkpoint, configuration)
  }
}
