// Mixtral (Jiang et al. 2024): Mistral's blocks with experts, of which a router chooses two for each token.

import Checkpoints
import Files
import Tensors

enum MixtralFamily: ModelFamily {
  static let modelType = "mixtral"
  static let title = "Mixtral (experts)"

  static func configuration(_ options: inout ConfigurationReader) throws -> TransformerConfiguration {
    let sizes = try DecoderSizes(&options)
    let rotary = try RotaryConfiguration(
      reading: &options, headWidth: sizes.dHead, context: sizes.context, defaultBase: 1_000_000)
    let window = try options.optionalCount("sliding_window")
    let activation = try options.choice("hidden_act", default: "silu", hiddenActivations)
    let routing = ExpertRouting(
      experts: try options.optionalCount("num_local_experts") ?? 8,
      chosen: try options.optionalCount("num_experts_per_tok") ?? 2, normalizesWeights: true,
      width: sizes.dMLP, gate: .plain(activation))
    return sizes.configuration(
      family: modelType,
      normalization: .rootMeanSquare(
        epsilon: Float(try options.positiveNumber("rms_norm_eps", default: 1e-5)), gainOffset: 0),
      activation: activation, mlp: .experts(routing),
      attention: sizes.attention(rotary: rotary, window: window),
      tiesEmbeddings: try options.truth("tie_word_embeddings", default: false))
  }

  static func weights(
    _ checkpoint: SafetensorsCheckpoint, _ configuration: TransformerConfiguration
  ) throws -> WeightParts {
    guard case .experts(let routing) = configuration.mlp else {
      preconditionFailure("a Mixtral without experts")
    }
    return try DecoderTensors(experts: { layer, reader in
      let older = "layers.\(layer).block_sparse_moe."
      let module = reader.contains(older + "gate.weight") ? older : "layers.\(layer).mlp."
      return try readExperts(
        module, router: module + "gate", names: ("w1", "w3", "w2"), reader, routing,
        dModel: configuration.dModel)
    }).weights(checkpoint, configuration)
  }
}

/// The experts of a layer whose matrices are stored one expert at a time, or all in one tensor as newer files have them.
///
/// - Parameters:
///   - router: the module of the router.
///   - names: of gate, other part and output in an expert's own module.
func readExperts(
  _ module: String, router: String, names: (gate: String, up: String, down: String), _ reader: WeightReader,
  _ routing: ExpertRouting, dModel: Int
) throws -> ExpertsWeights {
  let (count, width) = (routing.experts, routing.width)
  let isJoint = reader.contains(module + "experts.gate_up_proj")
  return ExpertsWeights(
    router: try reader.linear(router, .outputInput, from: dModel, to: count, hasBias: false),
    experts: try (0..<count).map { expert in
      if isJoint {
        let shape = [count, 2 * width, dModel]
        func half(_ rows: Range<Int>) throws -> Linear {
          Linear(
            try reader.weight(module + "experts.gate_up_proj", matrix: expert, rows: rows, of: shape),
            .outputInput)
        }
        return ExpertWeights(
          input: .separate(gate: try half(0..<width), up: try half(width..<2 * width)),
          output: Linear(
            try reader.weight(module + "experts.down_proj", matrix: expert, of: [count, dModel, width]),
            .outputInput))
      }
      func linear(_ part: String, from inputs: Int, to outputs: Int) throws -> Linear {
        let name = module + "experts.\(expert)." + part + ".weight"
        let shape = [outputs, inputs]
        return Linear(try reader.weight(name, rows: 0..<outputs, of: shape), .outputInput)
      }
      return ExpertWeights(
        input: .separate(
          gate: try linear(names.gate, from: dModel, to: width),
          up: try linear(names.up, from: dModel, to: width)),
        output: try linear(names.down, from: width, to: dModel))
    })
}
