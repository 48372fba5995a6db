// Llama 1 to 3 (Touvron et al. 2023; Grattafiori et al. 2024): root-mean-square norms, rotary positions (stretched for
// long contexts in 3.1), grouped queries, gated MLPs.

import Checkpoints
import Tensors

enum LlamaFamily: ModelFamily {
  static let modelType = "llama"
  static let title = "Llama 1 to 3"

  static func configuration(_ options: inout ConfigurationReader) throws -> TransformerConfiguration {
    let sizes = try DecoderSizes(&options)
    let rotary = try RotaryConfiguration(
      reading: &options, headWidth: sizes.dHead, context: sizes.context)
    // Whether there are biases is seen from the tensors.
    _ = try options.truth("attention_bias", default: false)
    _ = try options.truth("mlp_bias", default: false)
    return sizes.configuration(
      family: modelType,
      normalization: .rootMeanSquare(
        epsilon: Float(try options.positiveNumber("rms_norm_eps", default: 1e-6)), gainOffset: 0),
      activation: try options.choice("hidden_act", default: "silu", hiddenActivations),
      attention: Array(
        repeating: AttentionConfiguration(rule: AttentionRule(scale: sizes.scoreScale), rotary: rotary),
        count: sizes.layers),
      tiesEmbeddings: try options.truth("tie_word_embeddings", default: false))
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
