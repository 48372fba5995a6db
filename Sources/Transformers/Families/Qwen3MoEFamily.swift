// Qwen 3 with experts (Yang et al. 2025): Qwen 3's blocks with many small experts; some layers may have one MLP instead.

import Checkpoints
import Files
import Tensors

enum Qwen3MoEFamily: ModelFamily {
  static let modelType = "qwen3_moe"
  static let title = "Qwen 3 with experts"

  static func configuration(_ options: inout ConfigurationReader) throws -> TransformerConfiguration {
    let sizes = try DecoderSizes(&options)
    let rotary = try RotaryConfiguration(
      reading: &options, headWidth: sizes.dHead, context: sizes.context)
    let windows = try qwenWindows(&options, layers: sizes.layers)
    _ = try options.truth("attention_bias", default: false)
    // Which layers have experts is seen from the tensors.
    _ = try options.optionalCount("decoder_sparse_step")
    _ = options.value("mlp_only_layers")
    let activation = try options.choice("hidden_act", default: "silu", hiddenActivations)
    let routing = ExpertRouting(
      experts: try options.optionalCount("num_experts") ?? options.optionalCount("num_local_experts") ?? 128,
      chosen: try options.optionalCount("num_experts_per_tok") ?? 8,
      normalizesWeights: try options.truth("norm_topk_prob", default: false),
      width: try options.optionalCount("moe_intermediate_size") ?? 768, gate: .plain(activation))
    return sizes.configuration(
      family: modelType,
      normalization: .rootMeanSquare(
        epsilon: Float(try options.positiveNumber("rms_norm_eps", default: 1e-6)), gainOffset: 0),
      activation: activation, mlp: .experts(routing),
      attention: windows.map { window in
        AttentionConfiguration(rule: AttentionRule(scale: sizes.scoreScale, window: window), rotary: rotary)
      },
      tiesEmbeddings: try options.truth("tie_word_embeddings", default: false))
  }

  static func weights(
    _ checkpoint: SafetensorsCheckpoint, _ configuration: TransformerConfiguration
  ) throws -> WeightParts {
    guard case .experts(let routing) = configuration.mlp else {
      preconditionFailure("a Qwen 3 MoE without experts")
    }
    let layer = "model.layers.\(checkpoint.firstLayer).self_attn."
    return try DecoderTensors(
      hasInputBias: checkpoint.contains(layer + "q_proj.bias"),
      hasOutputBias: checkpoint.contains(layer + "o_proj.bias"),
      headNorms: (configuration.dHead, configuration.dHead),
      experts: { layer, reader in
        let module = "layers.\(layer).mlp."
        guard reader.contains(module + "gate.weight") else { return nil }
        return try readExperts(
          module, router: module + "gate", names: ("gate_proj", "up_proj", "down_proj"), reader, routing,
          dModel: configuration.dModel)
      }
    ).weights(checkpoint, configuration)
  }
}
