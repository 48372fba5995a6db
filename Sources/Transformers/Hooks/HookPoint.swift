// The places in a transformer where values can be read or edited, under TransformerLens's names.

/// A place in a model's computation.
///
/// Its text is TransformerLens's name: `HookPoint("blocks.3.attn.hook_z") == .z(layer: 3)`.
public enum HookPoint: Hashable, Sendable {
  /// Token embeddings (scaled where the model scales them) `[batch, position, d_model]`.
  case embedding
  /// Learned position embeddings `[batch, position, d_model]`.
  case positionEmbedding
  /// A place within a layer.
  case block(layer: Int, BlockPoint)
  /// The output of the final normalisation `[batch, position, d_model]`.
  case finalNorm
  /// Scores of all next tokens `[batch, position, vocabulary]`.
  case logits
}

/// A place within one layer, in the order of computation. The raw value is the name after `blocks.N.`.
public enum BlockPoint: String, CaseIterable, Sendable {
  /// The residual stream before the layer `[batch, position, d_model]`.
  case residPre = "hook_resid_pre"
  /// The residual stream as each query head reads it for its queries, before the norm `[batch, position, head, d_model]`.
  case queriesInput = "hook_q_input"
  /// The residual stream as each query head's keys are made from it `[batch, position, head, d_model]`.
  case keysInput = "hook_k_input"
  /// The residual stream as each query head's values are made from it `[batch, position, head, d_model]`.
  case valuesInput = "hook_v_input"
  /// Queries before rotary positions `[batch, position, head, d_head]`.
  case queries = "attn.hook_q"
  /// Keys before rotary positions `[batch, position, group, d_head]`; one group may serve several query heads, and has a
  /// key for each of them where their inputs are read or edited apart.
  case keys = "attn.hook_k"
  /// Values `[batch, position, group, d_head]`.
  case values = "attn.hook_v"
  /// Attention scores, −∞ where masked `[batch, head, query, key]`.
  case scores = "attn.hook_attn_scores"
  /// Attention weights `[batch, head, query, key]`.
  case pattern = "attn.hook_pattern"
  /// Each head's mix of values as its codebook reads it `[batch, position, head, d_head]`, where there is one.
  case headCodesInput = "attn.codebook.hook_in"
  /// The numbers of each head's active codes, nearest first `[batch, position, head, active]`.
  case headCodes = "attn.codebook.hook_codes"
  /// Each head's mix of values before W_O `[batch, position, head, d_head]`; with a codebook the sum of its active codes.
  case z = "attn.hook_z"
  /// Each head's own output z·W_O, without bias `[batch, position, head, d_model]`.
  case result = "attn.hook_result"
  /// The attention module's output before any normalisation that follows it `[batch, position, d_model]`.
  case rawAttentionOut = "attn.hook_out"
  /// What attention adds to the residual stream `[batch, position, d_model]`.
  case attentionOut = "hook_attn_out"
  /// The residual stream between attention and MLP `[batch, position, d_model]`.
  case residMid = "hook_resid_mid"
  /// The residual stream as the MLP reads it, before the norm `[batch, position, d_model]`.
  case mlpInput = "hook_mlp_in"
  /// The router's score of every expert `[batch, position, expert]`, in layers with experts.
  case routerLogits = "mlp.hook_router_logits"
  /// The weight of every expert's output, 0 where it is not chosen `[batch, position, expert]`.
  case expertWeights = "mlp.hook_expert_weights"
  /// The MLP's hidden layer before its activation `[batch, position, d_mlp]`.
  case mlpPre = "mlp.hook_pre"
  /// The MLP's hidden layer after activation (and gating) `[batch, position, d_mlp]`.
  case mlpPost = "mlp.hook_post"
  /// The MLP module's output as its codebook reads it `[batch, position, d_model]`, where there is one.
  case mlpCodesInput = "mlp.codebook.hook_in"
  /// The numbers of the MLP's active codes, nearest first `[batch, position, active]`.
  case mlpCodes = "mlp.codebook.hook_codes"
  /// The MLP module's output before any normalisation that follows it `[batch, position, d_model]`; with a codebook the
  /// sum of its active codes.
  case rawMLPOut = "mlp.hook_out"
  /// What the MLP adds to the residual stream `[batch, position, d_model]`.
  case mlpOut = "hook_mlp_out"
  /// The residual stream after the layer `[batch, position, d_model]`.
  case residPost = "hook_resid_post"
}

extension HookPoint: CustomStringConvertible {
  /// TransformerLens's name.
  public var description: String {
    switch self {
    case .embedding: "hook_embed"
    case .positionEmbedding: "hook_pos_embed"
    case .block(let layer, let point): "blocks.\(layer).\(point.rawValue)"
    case .finalNorm: "ln_final.hook_normalized"
    case .logits: "logits"
    }
  }
}

extension HookPoint: LosslessStringConvertible {
  /// The hook point of a TransformerLens name; nil where there is none.
  public init?(_ name: String) {
    if let point = [Self.embedding, .positionEmbedding, .finalNorm, .logits].first(where: {
      $0.description == name
    }) {
      self = point
      return
    }
    let parts = name.split(separator: ".", maxSplits: 2, omittingEmptySubsequences: false)
    guard parts.count == 3, parts[0] == "blocks", let layer = Int(parts[1]), layer >= 0,
      String(layer) == parts[1], let point = BlockPoint(rawValue: String(parts[2]))
    else { return nil }
    self = .block(layer: layer, point)
  }

  /// The hook point of a name, within a model of so many layers.
  /// - Throws: `TransformerError.unknownHookPoint`.
  public init(name: String, layers: Int) throws(TransformerError) {
    guard let point = HookPoint(name), point.layer ?? 0 < layers else {
      throw .unknownHookPoint(name, layers: layers)
    }
    self = point
  }
}

extension HookPoint: Codable {
  /// Reads a TransformerLens name.
  public init(from decoder: any Decoder) throws {
    let container = try decoder.singleValueContainer()
    let name = try container.decode(String.self)
    guard let point = HookPoint(name) else {
      throw DecodingError.dataCorruptedError(in: container, debugDescription: "no hook point '\(name)'")
    }
    self = point
  }

  /// Writes the TransformerLens name.
  public func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(description)
  }
}

extension HookPoint {
  /// The layer, for places within one.
  public var layer: Int? {
    if case .block(let layer, _) = self { layer } else { nil }
  }

  /// All hook points of a model of so many layers, in the order of computation.
  public static func all(layers: Int) -> [HookPoint] {
    [.embedding, .positionEmbedding]
      + (0..<layers).flatMap { layer in BlockPoint.allCases.map { .block(layer: layer, $0) } }
      + [.finalNorm, .logits]
  }

  /// A number that grows in the order of computation.
  var order: Int {
    switch self {
    case .embedding: 0
    case .positionEmbedding: 1
    case .block(let layer, let point):
      2 + layer * BlockPoint.allCases.count + (BlockPoint.allCases.firstIndex(of: point) ?? 0)
    case .finalNorm: .max - 1
    case .logits: .max
    }
  }

  /// The residual stream before layer `layer`.
  public static func residPre(layer: Int) -> Self { .block(layer: layer, .residPre) }
  /// The residual stream between attention and MLP.
  public static func residMid(layer: Int) -> Self { .block(layer: layer, .residMid) }
  /// The residual stream after the layer.
  public static func residPost(layer: Int) -> Self { .block(layer: layer, .residPost) }
  /// The residual stream as a layer's MLP reads it.
  public static func mlpInput(layer: Int) -> Self { .block(layer: layer, .mlpInput) }
  /// The queries of a layer's heads.
  public static func queries(layer: Int) -> Self { .block(layer: layer, .queries) }
  /// The keys of a layer's groups.
  public static func keys(layer: Int) -> Self { .block(layer: layer, .keys) }
  /// The values of a layer's groups.
  public static func values(layer: Int) -> Self { .block(layer: layer, .values) }
  /// The attention scores of a layer.
  public static func scores(layer: Int) -> Self { .block(layer: layer, .scores) }
  /// The attention weights of a layer.
  public static func pattern(layer: Int) -> Self { .block(layer: layer, .pattern) }
  /// The mixes of values of a layer's heads.
  public static func z(layer: Int) -> Self { .block(layer: layer, .z) }
  /// The numbers of the active codes of a layer's heads.
  public static func headCodes(layer: Int) -> Self { .block(layer: layer, .headCodes) }
  /// The numbers of the active codes of a layer's MLP.
  public static func mlpCodes(layer: Int) -> Self { .block(layer: layer, .mlpCodes) }
  /// The outputs of a layer's heads.
  public static func result(layer: Int) -> Self { .block(layer: layer, .result) }
  /// What attention adds to the residual stream.
  public static func attentionOut(layer: Int) -> Self { .block(layer: layer, .attentionOut) }
  /// The MLP's hidden layer before activation.
  public static func mlpPre(layer: Int) -> Self { .block(layer: layer, .mlpPre) }
  /// The MLP's hidden layer after activation.
  public static func mlpPost(layer: Int) -> Self { .block(layer: layer, .mlpPost) }
  /// What the MLP adds to the residual stream.
  public static func mlpOut(layer: Int) -> Self { .block(layer: layer, .mlpOut) }
}
