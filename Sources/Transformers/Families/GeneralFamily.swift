// The project's own layout: a plain transformer with any combination of the parts below, under TransformerLens's tensor
// names. Models that `train-model` makes are stored so, and small research models convert to it easily.
//
// config.json, beside `"model_type": "headlamp"`, uses TransformerLens's words:
//   n_layers, n_heads, d_model, d_vocab, n_ctx        sizes
//   d_head                                            d_model / n_heads where absent
//   attn_only                                         true for no MLPs
//   d_mlp, act_fn                                     4 · d_model where absent; relu, gelu, gelu_new or silu
//   normalization_type, eps                           LN, LNPre (no gain or bias), RMS, RMSPre, or null for none
//   attention_dir                                     causal (default) or bidirectional
//   positional_embedding_type                         standard (default: learned) or none
//   attn_scale                                        √d_head where absent; scores are divided by it
// Biases are optional: an absent one is zero.

import Files
import Tensors

enum GeneralFamily: ModelFamily {
  static let modelType = "headlamp"

  static func configuration(_ options: inout ConfigurationReader) throws -> TransformerConfiguration {
    let layers = try options.count("n_layers")
    let heads = try options.count("n_heads")
    let dModel = try options.count("d_model")
    guard let dHead = try options.optionalCount("d_head") ?? (dModel % heads == 0 ? dModel / heads : nil)
    else {
      throw options.bad("d_head", "is missing, and n_heads does not divide d_model")
    }
    let isAttentionOnly = try options.truth("attn_only", default: false)
    let dMLP = try options.optionalCount("d_mlp", minimum: 0) ?? 4 * dModel
    let epsilon = Float(try options.positiveNumber("eps", default: 1e-5))
    let scale = try options.positiveNumber("attn_scale", default: Double(dHead).squareRoot())
    let isCausal = try options.choice(
      "attention_dir", default: "causal", ["causal": true, "bidirectional": false])
    let activation: Activation =
      isAttentionOnly
      ? try options.choice("act_fn", default: "relu", hiddenActivations)
      : try options.choice("act_fn", hiddenActivations)
    let rule = AttentionRule(scale: 1 / Float(scale), isCausal: isCausal)
    return TransformerConfiguration(
      family: modelType, layers: layers, heads: heads, keyValueHeads: heads, dModel: dModel, dHead: dHead,
      dMLP: isAttentionOnly ? 0 : dMLP, vocabulary: try options.count("d_vocab"),
      context: try options.count("n_ctx"), normalization: try normalization(&options, epsilon: epsilon),
      positions: try options.choice(
        "positional_embedding_type", default: "standard", ["standard": .learned, "none": .none]),
      activation: activation, mlp: isAttentionOnly ? .none : .plain,
      attention: Array(repeating: AttentionConfiguration(rule: rule), count: layers))
  }

  private static func normalization(
    _ options: inout ConfigurationReader, epsilon: Float
  ) throws -> RowNormalization? {
    let rms = RowNormalization.rootMeanSquare(epsilon: epsilon, gainOffset: 0)
    guard options.value("normalization_type") != nil else { return nil }
    return try options.choice(
      "normalization_type",
      ["LN": .layer(epsilon: epsilon), "LNPre": .layer(epsilon: epsilon), "RMS": rms, "RMSPre": rms])
  }

  static func weights(
    _ checkpoint: SafetensorsCheckpoint, _ configuration: TransformerConfiguration
  ) throws -> TransformerWeights {
    let reader = WeightReader(checkpoint)
    let dModel = configuration.dModel
    return TransformerWeights(
      tokenEmbedding: try reader.weight("embed.W_E", [configuration.vocabulary, dModel]),
      positionEmbedding: configuration.positions == .learned
        ? try reader.tensor("pos_embed.W_pos", [configuration.context, dModel]) : nil,
      blocks: try (0..<configuration.layers).map { try block($0, reader, configuration) },
      finalNorm: try norm("ln_final", reader, configuration),
      unembedding: Linear(
        try reader.weight("unembed.W_U", [dModel, configuration.vocabulary]), .inputOutput,
        bias: try reader.optionalTensor("unembed.b_U", [configuration.vocabulary])))
  }

  private static func block(
    _ layer: Int, _ reader: WeightReader, _ configuration: TransformerConfiguration
  ) throws -> BlockWeights {
    let name = "blocks.\(layer)."
    let (dModel, dMLP) = (configuration.dModel, configuration.dMLP)
    let mlp =
      configuration.mlp == .none
      ? nil
      : MLPWeights(
        input: Linear(
          try reader.weight(name + "mlp.W_in", [dModel, dMLP]), .inputOutput,
          bias: try reader.optionalTensor(name + "mlp.b_in", [dMLP])),
        output: Linear(
          try reader.weight(name + "mlp.W_out", [dMLP, dModel]), .inputOutput,
          bias: try reader.optionalTensor(name + "mlp.b_out", [dModel])))
    return BlockWeights(
      attentionNorm: try norm(name + "ln1", reader, configuration),
      attention: try attention(name + "attn.", reader, configuration),
      mlpNorm: mlp == nil ? nil : try norm(name + "ln2", reader, configuration), mlp: mlp)
  }

  /// W_Q, W_K and W_V `[head, d_model, d_head]` become the columns of one matrix.
  private static func attention(
    _ name: String, _ reader: WeightReader, _ configuration: TransformerConfiguration
  ) throws -> AttentionWeights {
    let (heads, dModel, dHead) = (configuration.heads, configuration.dModel, configuration.dHead)
    let width = heads * dHead
    var fused = Tensor(zeros: [dModel, 3 * width])
    var bias: Tensor?
    for (index, kind) in ["Q", "K", "V"].enumerated() {
      let weight = try reader.tensor(name + "W_" + kind, [heads, dModel, dHead])
      let columns = HeadColumns(count: heads, width: dHead, offset: index * width, rowStride: 3 * width)
      scatterHeads(weight.exchangingFirstAxes(), into: &fused, columns)
      guard let part = try reader.optionalTensor(name + "b_" + kind, [heads, dHead]) else { continue }
      var row = bias ?? Tensor(zeros: [3 * width])
      row = row.reshaped([1, 3 * width])
      scatterHeads(part, into: &row, columns)
      bias = row.reshaped([3 * width])
    }
    let output = try reader.weight(name + "W_O", [heads, dHead, dModel])
    return AttentionWeights(
      projections: .fused(Linear(Weight(fused), .inputOutput, bias: bias), .byKind),
      output: Linear(
        Weight(try output.tensor().reshaped([width, dModel])), .inputOutput,
        bias: try reader.optionalTensor(name + "b_O", [dModel])))
  }

  private static func norm(
    _ name: String, _ reader: WeightReader, _ configuration: TransformerConfiguration
  ) throws -> NormWeights? {
    guard configuration.normalization != nil else { return nil }
    return NormWeights(
      gain: try reader.optionalTensor(name + ".w", [configuration.dModel]),
      bias: try reader.optionalTensor(name + ".b", [configuration.dModel]))
  }
}
