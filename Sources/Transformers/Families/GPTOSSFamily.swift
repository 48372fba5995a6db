// GPT-OSS (OpenAI 2025): experts with biases and cut activations, every second layer looking back over a window, and for
// each head a sink that takes up part of its pattern.

import Checkpoints
import Files
import Tensors

enum GPTOSSFamily: ModelFamily {
  static let modelType = "gpt_oss"
  static let title = "GPT-OSS (experts, sinks)"

  static func configuration(_ options: inout ConfigurationReader) throws -> TransformerConfiguration {
    let sizes = try DecoderSizes(&options, headWidth: 64)
    let rotary = try RotaryConfiguration(
      reading: &options, headWidth: sizes.dHead, context: sizes.context, defaultBase: 150_000)
    _ = try options.truth("attention_bias", default: true)
    // A copy of num_experts_per_tok that the model does not read.
    _ = options.value("experts_per_token")
    _ = options.value("initial_context_length")
    try options.require("hidden_act", .string("silu"))
    let window = try options.optionalCount("sliding_window") ?? 128
    let isSliding = try slidingLayers(&options, layers: sizes.layers) { $0 % 2 == 0 }
    let routing = ExpertRouting(
      experts: try options.optionalCount("num_local_experts") ?? 128,
      chosen: try options.optionalCount("num_experts_per_tok") ?? 4, normalizesWeights: true,
      width: sizes.dMLP,
      gate: .clamped(
        slope: Float(try options.positiveNumber("swiglu_alpha", default: 1.702)),
        limit: Float(try options.positiveNumber("swiglu_limit", default: 7))))
    return sizes.configuration(
      family: modelType,
      normalization: .rootMeanSquare(
        epsilon: Float(try options.positiveNumber("rms_norm_eps", default: 1e-5)), gainOffset: 0),
      activation: .silu, mlp: .experts(routing),
      attention: isSliding.map { isSliding in
        AttentionConfiguration(
          rule: AttentionRule(scale: sizes.scoreScale, window: isSliding ? window : nil), rotary: rotary)
      },
      tiesEmbeddings: try options.truth("tie_word_embeddings", default: false))
  }

  static func weights(
    _ checkpoint: SafetensorsCheckpoint, _ configuration: TransformerConfiguration
  ) throws -> WeightParts {
    guard case .experts(let routing) = configuration.mlp else {
      preconditionFailure("a GPT-OSS without experts")
    }
    let layer = "model.layers.\(checkpoint.firstLayer).self_attn."
    var parts = try DecoderTensors(
      hasInputBias: checkpoint.contains(layer + "q_proj.bias"),
      hasOutputBias: checkpoint.contains(layer + "o_proj.bias"),
      experts: { try experts("layers.\($0).mlp.", $1, routing, dModel: configuration.dModel) }
    ).weights(checkpoint, configuration)
    let reader = WeightReader(checkpoint, optionalPrefix: "model.", probe: "embed_tokens.weight")
    let withoutSinks = parts.block
    parts.block = { layer in
      var block = try withoutSinks(layer)
      block.attention.sinks = try reader.tensor("layers.\(layer).self_attn.sinks", [configuration.heads])
      return block
    }
    return parts
  }

  private static func experts(
    _ module: String, _ reader: WeightReader, _ routing: ExpertRouting, dModel: Int
  ) throws -> ExpertsWeights {
    let (count, width) = (routing.experts, routing.width)
    let inputBias = try reader.tensor(module + "experts.gate_up_proj_bias", [count, 2 * width])
    let outputBias = try reader.tensor(module + "experts.down_proj_bias", [count, dModel])
    return ExpertsWeights(
      router: try reader.linear(module + "router", .outputInput, from: dModel, to: count, hasBias: true),
      experts: try (0..<count).map { expert in
        // As published, 4-bit floats the other way round.
        func linear(_ part: String, from inputs: Int, to outputs: Int, bias: Tensor) throws -> Linear {
          let name = module + "experts." + part
          if let packed = try reader.microscaled(
            name, matrix: expert, of: count, shape: [outputs, inputs])
          {
            return Linear(packed, .outputInput, bias: bias)
          }
          return Linear(
            try reader.weight(name, matrix: expert, of: [count, inputs, outputs]), .inputOutput, bias: bias)
        }
        return ExpertWeights(
          input: .interleaved(
            try linear("gate_up_proj", from: dModel, to: 2 * width, bias: inputBias.row(expert))),
          output: try linear("down_proj", from: width, to: dModel, bias: outputBias.row(expert)))
      })
  }
}
