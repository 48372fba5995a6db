// Writing a model as a folder that this project, and where the architecture allows Hugging Face's, can load.

import Checkpoints
import Files
import Tensors

extension Transformer {
  /// Whether GPT-2's configuration can describe the model.
  public var isGPT2: Bool {
    let rule = configuration.attention.first?.rule
    let usualScale = 1 / Float(configuration.dHead).squareRoot()
    guard case .layer? = configuration.normalization else { return false }
    return configuration.codebooks == nil && configuration.mlp == .plain
      && configuration.positions == .learned
      && configuration.residual == .sequential && configuration.embeddingScale == 1
      && configuration.logitCap == nil && configuration.heads == configuration.keyValueHeads
      && configuration.heads * configuration.dHead == configuration.dModel
      && configuration.attention.allSatisfy {
        $0.rotary == nil && $0.rule == AttentionRule(scale: usualScale)
      }
      && rule?.scale == usualScale && weights.blocks.allSatisfy(\.isGPT2)
      && weights.finalNorm?.gain != nil && weights.finalNorm?.bias != nil
  }

  /// Writes `config.json` and `model.safetensors`: a GPT-2 where the architecture is one, else the project's own
  /// layout with TransformerLens's names.
  ///
  /// - Parameters:
  ///   - folder: an existing folder.
  ///   - beginningToken: the token every text begins with, noted in the configuration.
  ///   - metadata: texts kept in the header of the weights' file.
  /// - Throws: `FileError` where a file cannot be written, `TrainingError.notStorable` for a part that the project's
  ///   layout has no word for.
  public func write(
    toFolder folder: String, beginningToken: Int? = nil, metadata: [String: String] = [:]
  ) throws {
    let tensors = isGPT2 ? try gpt2Tensors() : try generalTensors()
    let options = isGPT2 ? gpt2Configuration : try generalConfiguration()
    try writeSafetensors(
      tensors.mapValues { .float($0) }, metadata: metadata.merging(["format": "pt"]) { $1 },
      to: folder + "/model.safetensors")
    let token = beginningToken.map { JSONValue.integer($0) } ?? .null
    try writeFile(
      JSONValue.object(
        options + [JSONMember("bos_token_id", token), JSONMember("eos_token_id", .null)]
      ).text(), to: folder + "/config.json")
  }
}

// GPT-2.
extension Transformer {
  private var gpt2Configuration: [JSONMember] {
    [
      JSONMember("model_type", .string("gpt2")),
      JSONMember("architectures", .array([.string("GPT2LMHeadModel")])),
      JSONMember("vocab_size", .integer(configuration.vocabulary)),
      JSONMember("n_positions", .integer(configuration.context)),
      JSONMember("n_embd", .integer(configuration.dModel)),
      JSONMember("n_layer", .integer(configuration.layers)),
      JSONMember("n_head", .integer(configuration.heads)),
      JSONMember("n_inner", .integer(configuration.dMLP)),
      JSONMember("activation_function", .string(configuration.activation.rawValue)),
      JSONMember("layer_norm_epsilon", .number(decimal(epsilon ?? 1e-5))),
      JSONMember("tie_word_embeddings", .boolean(weights.unembedding == nil)),
      JSONMember("resid_pdrop", .number(0)), JSONMember("embd_pdrop", .number(0)),
      JSONMember("attn_pdrop", .number(0)),
    ]
  }

  /// The parameters under GPT-2's names.
  func gpt2Tensors() throws -> [String: Tensor] {
    var tensors: [String: Tensor] = [:]
    for parameter in Parameter.all(layers: configuration.layers) {
      guard let weight = weights[parameter] else { continue }
      var tensor = try weight.tensor()
      // Hugging Face keeps the unembedding as [vocabulary, d_model].
      if parameter == .unembedding, weights.output.orientation == .inputOutput {
        tensor = tensor.transposedMatrix()
      }
      tensors[Self.gpt2Name(of: parameter)] = tensor
    }
    return tensors
  }

  /// `blocks.3.attn.W_O` → `transformer.h.3.attn.c_proj.weight`.
  static func gpt2Name(of parameter: Parameter) -> String {
    switch parameter {
    case .tokenEmbedding: "transformer.wte.weight"
    case .positionEmbedding: "transformer.wpe.weight"
    case .embeddingNormGain, .embeddingNormBias, .outputTransformWeight, .outputTransformBias:
      parameter.description
    case .finalNormGain: "transformer.ln_f.weight"
    case .finalNormBias: "transformer.ln_f.bias"
    case .unembedding: "lm_head.weight"
    case .unembeddingBias: "lm_head.bias"
    case .block(let layer, let parameter):
      "transformer.h.\(layer)."
        + (gpt2BlockNames[parameter].map { $0 } ?? parameter.rawValue)
    }
  }

  private static let gpt2BlockNames: [BlockParameter: String] = [
    .attentionNormGain: "ln_1.weight", .attentionNormBias: "ln_1.bias", .mlpNormGain: "ln_2.weight",
    .mlpNormBias: "ln_2.bias", .fusedWeight: "attn.c_attn.weight", .fusedBias: "attn.c_attn.bias",
    .outputWeight: "attn.c_proj.weight", .outputBias: "attn.c_proj.bias", .inWeight: "mlp.c_fc.weight",
    .inBias: "mlp.c_fc.bias", .outWeight: "mlp.c_proj.weight", .outBias: "mlp.c_proj.bias",
  ]
}

extension BlockWeights {
  /// Whether the block has just GPT-2's parameters, laid out as there.
  fileprivate var isGPT2: Bool {
    guard case .fused(let projection, .byKind) = attention.projections, let mlp else { return false }
    let maps = [projection, attention.output, mlp.input, mlp.output]
    let norms = [attentionNorm, mlpNorm]
    return maps.allSatisfy { $0.orientation == .inputOutput && $0.bias != nil }
      && norms.allSatisfy { $0?.gain != nil && $0?.bias != nil } && attentionPostNorm == nil
      && mlpPostNorm == nil && attention.queryNorm == nil && attention.keyNorm == nil && mlp.gate == nil
  }
}

// The project's own layout (see `GeneralFamily`).
extension Transformer {
  private var epsilon: Float? {
    switch configuration.normalization {
    case .layer(let epsilon), .rootMeanSquare(let epsilon, _): epsilon
    case nil: nil
    }
  }

  private func generalConfiguration() throws(TrainingError) -> [JSONMember] {
    let rule = configuration.attention.first?.rule ?? AttentionRule(scale: 1)
    let rotary = configuration.attention.first?.rotary
    if let part = unstorablePart { throw .notStorable(part: part) }
    let hasGains = weights.finalNorm?.gain != nil
    let normName: String? =
      switch configuration.normalization {
      case .layer: hasGains ? "LN" : "LNPre"
      case .rootMeanSquare: hasGains ? "RMS" : "RMSPre"
      case nil: nil
      }
    let positions =
      switch configuration.positions {
      case .learned: "standard"
      case .rotary: "rotary"
      case .none: "none"
      }
    let hasUsualScale = rule.scale == 1 / Float(configuration.dHead).squareRoot()
    var members = [
      JSONMember("model_type", .string("headlamp")),
      JSONMember("d_vocab", .integer(configuration.vocabulary)),
      JSONMember("n_ctx", .integer(configuration.context)),
      JSONMember("n_layers", .integer(configuration.layers)),
      JSONMember("n_heads", .integer(configuration.heads)),
      JSONMember("d_model", .integer(configuration.dModel)),
      JSONMember("d_head", .integer(configuration.dHead)),
      JSONMember("attn_only", .boolean(configuration.mlp == .none)),
      JSONMember("d_mlp", .integer(configuration.dMLP)),
      JSONMember(
        "act_fn", configuration.mlp == .none ? .null : .string(configuration.activation.rawValue)),
      JSONMember("normalization_type", normName.map { .string($0) } ?? .null),
      JSONMember("eps", .number(decimal(epsilon ?? 1e-5))),
      JSONMember("attention_dir", .string(rule.isCausal ? "causal" : "bidirectional")),
      JSONMember("positional_embedding_type", .string(positions)),
      JSONMember("attn_scale", hasUsualScale ? .null : .number(Double(1 / rule.scale))),
    ]
    if configuration.keyValueHeads != configuration.heads {
      members.append(JSONMember("n_key_value_heads", .integer(configuration.keyValueHeads)))
    }
    if let rotary {
      members.append(JSONMember("rotary_dim", .integer(rotary.dimension)))
      members.append(JSONMember("rotary_base", .number(rotary.base)))
    }
    for (name, isSet) in [
      ("gated_mlp", configuration.mlp == .gated), ("parallel_attn_mlp", configuration.residual == .parallel),
      ("use_qk_norm", weights.blocks.first?.attention.queryNorm != nil),
      ("use_normalization_before_and_after", weights.blocks.first?.attentionPostNorm != nil),
    ] where isSet {
      members.append(JSONMember(name, .boolean(true)))
    }
    if let codebooks = configuration.codebooks {
      let places = codebooks.places.count > 1 ? "both" : codebooks.places.first?.rawValue ?? "both"
      members.append(JSONMember("codebook_at", .string(places)))
      members.append(JSONMember("codebook_codes", .integer(codebooks.codes)))
      members.append(JSONMember("codebook_active", .integer(codebooks.active)))
      members.append(JSONMember("codebook_similarity", .string(codebooks.similarity.rawValue)))
    }
    if let cap = rule.scoreCap { members.append(JSONMember("attn_scores_soft_cap", .number(decimal(cap)))) }
    if let cap = configuration.logitCap {
      members.append(JSONMember("output_logits_soft_cap", .number(decimal(cap))))
    }
    return members
  }

  /// Refuses a model that could not be written.
  /// - Throws: `TrainingError.notStorable`.
  public func checkStorable() throws(TrainingError) {
    if !isGPT2, let part = unstorablePart { throw .notStorable(part: part) }
  }

  /// The first part that the project's layout has no word for.
  private var unstorablePart: String? {
    if configuration.embeddingScale != 1 { return "scaled embeddings" }
    if configuration.residualScale != 1 { return "scaled outputs of attention and MLP" }
    if configuration.logitScale != 1 { return "scaled logits" }
    if configuration.residual == .normalized { return "a residual stream that is itself normalised" }
    if case .experts = configuration.mlp { return "experts" }
    if configuration.headNormSpan == .all { return "queries of all heads normalised together" }
    if configuration.projectionLimit != nil { return "cut queries, keys and values" }
    if weights.embeddingNorm != nil { return "normalised embeddings" }
    if weights.blocks.contains(where: \.sharesNorm) { return "one norm before attention and MLP" }
    if weights.blocks.contains(where: { $0.attention.sinks != nil }) { return "attention sinks" }
    if case .rootMeanSquare(_, let offset)? = configuration.normalization, offset != 0 {
      return "gains stored less one"
    }
    for attention in configuration.attention {
      if attention.rule.window != nil { return "windowed attention" }
      if attention.rule.keyBias != nil { return "scores that lean on distance (ALiBi)" }
      if attention.rotary?.pairing == .neighbours { return "rotary positions of neighbouring coordinates" }
      if attention != configuration.attention[0] { return "attention that differs from layer to layer" }
      if let rotary = attention.rotary, rotary.scaling != .none { return "scaled rotary positions" }
    }
    return nil
  }

  /// The parameters under TransformerLens's names: one matrix a head for queries, keys and values.
  func generalTensors() throws -> [String: Tensor] {
    let (dModel, dHead) = (configuration.dModel, configuration.dHead)
    var tensors: [String: Tensor] = [:]
    for parameter in Parameter.all(layers: configuration.layers) {
      guard let weight = weights[parameter] else { continue }
      switch parameter {
      case .block(_, .fusedWeight), .block(_, .fusedBias), .block(_, .queryWeight), .block(_, .queryBias),
        .block(_, .keyWeight), .block(_, .keyBias), .block(_, .valueWeight), .block(_, .valueBias),
        .unembedding:
        continue
      case .block(let layer, .outputWeight):
        let matrix = try weights.blocks[layer].attention.output.matrix()
        tensors[parameter.description] = matrix.reshaped([configuration.heads, dHead, dModel])
      case .block(_, .headCodes):
        tensors[parameter.description] = try weight.tensor().reshaped([
          configuration.heads, weight.shape[0] / configuration.heads, dHead,
        ])
      case .block(let layer, .gateWeight):
        tensors[parameter.description] = try weights.blocks[layer].mlp?.gate?.matrix()
      case .block(let layer, .inWeight):
        tensors[parameter.description] = try weights.blocks[layer].mlp?.input.matrix()
      case .block(let layer, .outWeight):
        tensors[parameter.description] = try weights.blocks[layer].mlp?.output.matrix()
      default: tensors[parameter.description] = try weight.tensor()
      }
    }
    tensors["unembed.W_U"] = try weights.output.matrix()
    for (layer, block) in weights.blocks.enumerated() {
      for (name, tensor) in try block.attention.headTensors(configuration) {
        tensors["blocks.\(layer).attn." + name] = tensor
      }
    }
    return tensors
  }
}

extension AttentionWeights {
  /// `W_Q` … `b_V`, `[head, d_model, d_head]` and `[head, d_head]`.
  fileprivate func headTensors(_ configuration: TransformerConfiguration) throws -> [String: Tensor] {
    var tensors: [String: Tensor] = [:]
    let fusedColumns = columns(configuration)
    for (role, kind) in [(AttentionRole.queries, "Q"), (.keys, "K"), (.values, "V")] {
      let (linear, place): (Linear, HeadColumns) =
        switch (projections, role) {
        case (.fused(let linear, _), _): (linear, fusedColumns[role])
        case (.separate(let queries, _, _), .queries):
          (queries, HeadColumns(filling: configuration.heads, width: configuration.dHead))
        case (.separate(_, let keys, _), .keys):
          (keys, HeadColumns(filling: configuration.keyValueHeads, width: configuration.dHead))
        case (.separate(_, _, let values), .values):
          (values, HeadColumns(filling: configuration.keyValueHeads, width: configuration.dHead))
        }
      tensors["W_" + kind] = gatherHeads(try linear.matrix(), place).exchangingFirstAxes()
      if let bias = linear.bias {
        tensors["b_" + kind] = gatherHeads(bias.reshaped([1, bias.count]), place)
          .reshaped([place.count, place.width])
      }
    }
    return tensors
  }
}

extension Linear {
  /// The matrix as `[inputs, outputs]`.
  fileprivate func matrix() throws -> Tensor {
    let tensor = try weight.tensor()
    return orientation == .inputOutput ? tensor : tensor.transposedMatrix()
  }
}

/// A float as the shortest decimal that reads back as it.
private func decimal(_ value: Float) -> Double { Double("\(value)") ?? Double(value) }

extension Tensor {
  /// A matrix with its axes exchanged.
  func transposedMatrix() -> Tensor {
    precondition(rank == 2, "transposing shape \(shape)")
    let (rows, columns) = (shape[0], shape[1])
    return Tensor(shape: [columns, rows]) { target in
      withValues { source in
        for row in 0..<rows {
          for column in 0..<columns { target[column * rows + row] = source[row * columns + column] }
        }
      }
    }
  }
}
