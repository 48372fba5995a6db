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
//   positional_embedding_type                         standard (default: learned), rotary or none
//   rotary_dim, rotary_base                           d_head and 10000 where absent
//   attn_scale                                        √d_head where absent; scores are divided by it
//   n_key_value_heads                                 n_heads where absent
//   gated_mlp, parallel_attn_mlp                      false where absent
//   use_qk_norm, use_normalization_before_and_after   norms of queries and keys; norms behind attention and MLP
//   codebook_at, codebook_codes, codebook_active      heads, mlp or both; codes of a codebook; codes active at a position
//   codebook_similarity                               inner-product, cosine (default) or euclidean
//   attn_scores_soft_cap, output_logits_soft_cap      none where absent
// Biases, gains of norms and norms of the stream's readers are optional: an absent bias is zero.

import Checkpoints
import Files
import Tensors

enum GeneralFamily: ModelFamily {
  static let modelType = "headlamp"
  static let title = "the project's own layout, under TransformerLens's names"

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
    var rule = AttentionRule(scale: 1 / Float(scale), isCausal: isCausal)
    rule.scoreCap = try options.optionalNumber("attn_scores_soft_cap").map { Float($0) }
    let groups = try options.optionalCount("n_key_value_heads") ?? heads
    guard heads % groups == 0 else {
      throw options.bad("n_key_value_heads", "must divide \(heads) heads, but is \(groups)")
    }
    let positions: TransformerConfiguration.Positions = try options.choice(
      "positional_embedding_type", default: "standard",
      ["standard": .learned, "rotary": .rotary, "none": .none])
    let isGated = try options.truth("gated_mlp", default: false)
    let isParallel = try options.truth("parallel_attn_mlp", default: false)
    var configuration = TransformerConfiguration(
      family: modelType, layers: layers, heads: heads, keyValueHeads: groups, dModel: dModel, dHead: dHead,
      dMLP: isAttentionOnly ? 0 : dMLP, vocabulary: try options.count("d_vocab"),
      context: try options.count("n_ctx"), normalization: try normalization(&options, epsilon: epsilon),
      positions: positions, activation: activation, mlp: isAttentionOnly ? .none : isGated ? .gated : .plain,
      residual: isParallel ? .parallel : .sequential,
      attention: Array(
        repeating: AttentionConfiguration(
          rule: rule, rotary: try rotary(&options, positions, headWidth: dHead)), count: layers))
    configuration.logitCap = try options.optionalNumber("output_logits_soft_cap").map { Float($0) }
    configuration.codebooks = try codebooks(&options, hasMLP: !isAttentionOnly)
    // Which of these norms there are shows in the weights.
    _ = try options.truth("use_qk_norm", default: false)
    _ = try options.truth("use_normalization_before_and_after", default: false)
    return configuration
  }

  private static func codebooks(
    _ options: inout ConfigurationReader, hasMLP: Bool
  ) throws -> CodebookConfiguration? {
    guard options.value("codebook_at") != nil else { return nil }
    let places: Set<CodebookConfiguration.Place> = try options.choice(
      "codebook_at", ["heads": [.heads], "mlp": [.mlp], "both": [.heads, .mlp]])
    guard hasMLP || !places.contains(.mlp) else {
      throw options.bad("codebook_at", "says that MLPs have codebooks, and attn_only that there are none")
    }
    let codes = try options.count("codebook_codes")
    // Numbers of codes are kept as floats.
    guard codes < 1 << 24 else { throw options.bad("codebook_codes", "must be below 16,777,216") }
    let active = try options.count("codebook_active")
    guard active <= codes else {
      throw options.bad("codebook_active", "is \(active), more than the \(codes) codes")
    }
    return CodebookConfiguration(
      places: places, codes: codes, active: active,
      similarity: try options.choice(
        "codebook_similarity", default: "cosine",
        Dictionary(uniqueKeysWithValues: CodeSimilarity.allCases.map { ($0.rawValue, $0) })))
  }

  private static func rotary(
    _ options: inout ConfigurationReader, _ positions: TransformerConfiguration.Positions, headWidth: Int
  ) throws -> RotaryConfiguration? {
    let dimension = try options.optionalCount("rotary_dim", minimum: 2)
    let base = try options.positiveNumber("rotary_base", default: 10000)
    guard positions == .rotary else { return nil }
    if let dimension, dimension > headWidth {
      throw options.bad("rotary_dim", "is \(dimension), more than d_head, which is \(headWidth)")
    }
    return RotaryConfiguration(dimension: dimension ?? headWidth, base: base)
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
  ) throws -> WeightParts {
    let reader = WeightReader(checkpoint)
    let dModel = configuration.dModel
    return WeightParts(
      embedding: {
        EmbeddingWeights(
          tokens: try reader.weight("embed.W_E", [configuration.vocabulary, dModel]),
          positions: configuration.positions == .learned
            ? try reader.tensor("pos_embed.W_pos", [configuration.context, dModel]) : nil)
      },
      block: { try block($0, reader, configuration) },
      output: {
        OutputWeights(
          finalNorm: try norm("ln_final", reader, configuration),
          unembedding: Linear(
            try reader.weight("unembed.W_U", [dModel, configuration.vocabulary]), .inputOutput,
            bias: try reader.optionalTensor("unembed.b_U", [configuration.vocabulary])))
      })
  }

  private static func block(
    _ layer: Int, _ reader: WeightReader, _ configuration: TransformerConfiguration
  ) throws -> BlockWeights {
    let name = "blocks.\(layer)."
    let (dModel, dMLP) = (configuration.dModel, configuration.dMLP)
    func linear(_ weight: String, _ bias: String, from inputs: Int, to outputs: Int) throws -> Linear {
      Linear(
        try reader.weight(name + weight, [inputs, outputs]), .inputOutput,
        bias: try reader.optionalTensor(name + bias, [outputs]))
    }
    let mlp =
      configuration.mlp == .none
      ? nil
      : MLPWeights(
        gate: configuration.mlp == .gated
          ? try linear("mlp.W_gate", "mlp.b_gate", from: dModel, to: dMLP) : nil,
        input: try linear("mlp.W_in", "mlp.b_in", from: dModel, to: dMLP),
        output: try linear("mlp.W_out", "mlp.b_out", from: dMLP, to: dModel))
    func postNorm(_ module: String) throws -> NormWeights? {
      reader.contains(name + module + ".w") ? try norm(name + module, reader, configuration) : nil
    }
    var block = BlockWeights(
      attentionNorm: try norm(name + "ln1", reader, configuration),
      attention: try attention(name + "attn.", reader, configuration),
      attentionPostNorm: try postNorm("ln1_post"),
      mlpNorm: mlp == nil ? nil : try norm(name + "ln2", reader, configuration), mlp: mlp,
      mlpPostNorm: try postNorm("ln2_post"))
    if let shape = configuration.codebookShape(.heads) {
      block.headCodes = try reader.tensor(
        name + BlockParameter.headCodes.rawValue, [shape.books, shape.codes, shape.width]
      ).reshaped([shape.books * shape.codes, shape.width])
    }
    if let shape = configuration.codebookShape(.mlp) {
      block.mlpCodes = try reader.tensor(name + BlockParameter.mlpCodes.rawValue, [shape.codes, shape.width])
    }
    return block
  }

  private static func attention(
    _ name: String, _ reader: WeightReader, _ configuration: TransformerConfiguration
  ) throws -> AttentionWeights {
    let (dModel, dHead) = (configuration.dModel, configuration.dHead)
    let width = configuration.heads * dHead
    let output = try reader.weight(name + "W_O", [configuration.heads, dHead, dModel])
    return AttentionWeights(
      projections: try configuration.groupSize == 1
        ? fusedProjection(name, reader, configuration) : separateProjections(name, reader, configuration),
      output: Linear(
        Weight(try output.tensor().reshaped([width, dModel])), .inputOutput,
        bias: try reader.optionalTensor(name + "b_O", [dModel])),
      queryNorm: try reader.optionalTensor(name + "q_norm.w", [dHead]),
      keyNorm: try reader.optionalTensor(name + "k_norm.w", [dHead]))
  }

  /// W_Q, W_K and W_V `[head, d_model, d_head]` become the columns of one matrix.
  private static func fusedProjection(
    _ name: String, _ reader: WeightReader, _ configuration: TransformerConfiguration
  ) throws -> AttentionWeights.Projections {
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
    return .fused(Linear(Weight(fused), .inputOutput, bias: bias), .byKind)
  }

  /// The same as a matrix each, where several query heads share keys and values.
  private static func separateProjections(
    _ name: String, _ reader: WeightReader, _ configuration: TransformerConfiguration
  ) throws -> AttentionWeights.Projections {
    let (dModel, dHead) = (configuration.dModel, configuration.dHead)
    func linear(_ kind: String, _ count: Int) throws -> Linear {
      let weight = try reader.tensor(name + "W_" + kind, [count, dModel, dHead])
      return Linear(
        Weight(weight.exchangingFirstAxes().reshaped([dModel, count * dHead])), .inputOutput,
        bias: try reader.optionalTensor(name + "b_" + kind, [count, dHead])?.reshaped([count * dHead]))
    }
    return .separate(
      queries: try linear("Q", configuration.heads), keys: try linear("K", configuration.keyValueHeads),
      values: try linear("V", configuration.keyValueHeads))
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
