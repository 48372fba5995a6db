// Granite (IBM 2024): Llama's blocks with factors on embeddings, on scores, on what each module adds to the stream, and on
// logits (Yang et al. 2022, "muP").

import Checkpoints
import Files
import Tensors

enum GraniteFamily: ModelFamily {
  static let modelType = "granite"
  static let title = "Granite"

  static func configuration(_ options: inout ConfigurationReader) throws -> TransformerConfiguration {
    let sizes = try DecoderSizes(&options)
    let rotary = try RotaryConfiguration(
      reading: &options, headWidth: sizes.dHead, context: sizes.context)
    _ = try options.truth("attention_bias", default: false)
    _ = try options.truth("mlp_bias", default: false)
    let scale = Float(try options.positiveNumber("attention_multiplier", default: 1))
    var configuration = sizes.configuration(
      family: modelType,
      normalization: .rootMeanSquare(
        epsilon: Float(try options.positiveNumber("rms_norm_eps", default: 1e-6)), gainOffset: 0),
      activation: try options.choice("hidden_act", default: "silu", hiddenActivations),
      attention: Array(
        repeating: AttentionConfiguration(rule: AttentionRule(scale: scale), rotary: rotary),
        count: sizes.layers),
      tiesEmbeddings: try options.truth("tie_word_embeddings", default: false))
    configuration.embeddingScale = Float(try options.positiveNumber("embedding_multiplier", default: 1))
    configuration.residualScale = Float(try options.positiveNumber("residual_multiplier", default: 1))
    configuration.logitScale = 1 / Float(try options.positiveNumber("logits_scaling", default: 1))
    return configuration
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
