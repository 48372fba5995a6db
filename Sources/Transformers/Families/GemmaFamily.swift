// Gemma 1 (Mesnard et al. 2024): Llama's blocks with gains stored less one, wide heads, and embeddings that are scaled by
// √d_model and tied.

import Checkpoints
import Files
import Tensors

enum GemmaFamily: ModelFamily {
  static let modelType = "gemma"
  static let title = "Gemma 1"
  static let refusals = "bidirectional attention"

  static func configuration(_ options: inout ConfigurationReader) throws -> TransformerConfiguration {
    let sizes = try DecoderSizes(&options, headWidth: 256)
    let rotary = try RotaryConfiguration(
      reading: &options, headWidth: sizes.dHead, context: sizes.context)
    try options.require("use_bidirectional_attention", .boolean(false))
    _ = try options.truth("attention_bias", default: false)
    // `hidden_activation` was the name for a while.
    let older = try options.optionalText("hidden_act")
    let newer = try options.optionalText("hidden_activation")
    let word = newer ?? older ?? "gelu_pytorch_tanh"
    guard let activation = hiddenActivations[word] else {
      throw TransformerError.unsupportedOption(path: options.path, option: "hidden_act", value: word)
    }
    var configuration = sizes.configuration(
      family: modelType,
      normalization: .rootMeanSquare(
        epsilon: Float(try options.positiveNumber("rms_norm_eps", default: 1e-6)), gainOffset: 1),
      activation: activation, attention: sizes.attention(rotary: rotary),
      tiesEmbeddings: try options.truth("tie_word_embeddings", default: true))
    configuration.embeddingScale = Float(sizes.dModel).squareRoot()
    return configuration
  }

  static func weights(
    _ checkpoint: SafetensorsCheckpoint, _ configuration: TransformerConfiguration
  ) throws -> WeightParts {
    let layer = "model.layers.\(checkpoint.firstLayer).self_attn."
    return try DecoderTensors(
      hasInputBias: checkpoint.contains(layer + "q_proj.bias"),
      hasOutputBias: checkpoint.contains(layer + "o_proj.bias")
    ).weights(checkpoint, configuration)
  }
}
