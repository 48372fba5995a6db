// The parameters of a transformer, by what they do.

import Tensors

/// All parameters of a model.
public struct TransformerWeights: Sendable {
  /// `[vocabulary, d_model]`
  public var tokenEmbedding: Weight
  /// `[context, d_model]`, where positions are learned.
  public var positionEmbedding: Tensor?
  /// Added to every embedding `[d_model]`: that of the first kind of segment, in encoders.
  public var segmentEmbedding: Tensor?
  /// The normalisation of the first residual stream (BLOOM, BERT); nil where there is none.
  public var embeddingNorm: NormWeights?
  /// One entry a layer.
  public var blocks: [BlockWeights]
  /// d_model → d_model, followed by the model's activation, before the final normalisation (BERT).
  public var outputTransform: Linear?
  /// The normalisation before the unembedding; nil where there is none.
  public var finalNorm: NormWeights?
  /// d_model → vocabulary; nil where the token embedding serves for both ends.
  public var unembedding: Linear?
  /// Added to the logits where the embedding is tied and yet has a bias `[vocabulary]`.
  public var tiedUnembeddingBias: Tensor?

  /// All parts together.
  public init(
    tokenEmbedding: Weight, positionEmbedding: Tensor? = nil, blocks: [BlockWeights], finalNorm: NormWeights?,
    unembedding: Linear?, tiedUnembeddingBias: Tensor? = nil
  ) {
    self.tokenEmbedding = tokenEmbedding
    self.positionEmbedding = positionEmbedding
    self.blocks = blocks
    self.finalNorm = finalNorm
    self.unembedding = unembedding
    self.tiedUnembeddingBias = tiedUnembeddingBias
  }

  /// The unembedding as a layer, tied or not.
  public var output: Linear {
    unembedding ?? Linear(tokenEmbedding, .outputInput, bias: tiedUnembeddingBias)
  }
}

/// The parameters of one layer.
public struct BlockWeights: Sendable {
  /// Before attention.
  public var attentionNorm: NormWeights?
  /// Attention.
  public var attention: AttentionWeights
  /// On what attention adds to the residual stream (Gemma 2 and 3).
  public var attentionPostNorm: NormWeights?
  /// Before the MLP.
  public var mlpNorm: NormWeights?
  /// Whether the MLP reads what the norm before attention gives, in parallel blocks with one norm.
  public var sharesNorm = false
  /// The MLP; nil in an attention-only model and where there are experts.
  public var mlp: MLPWeights?
  /// The experts and their router, in layers that have them.
  public var experts: ExpertsWeights?
  /// On what the MLP adds to the residual stream (Gemma 2 and 3).
  public var mlpPostNorm: NormWeights?
  /// The codes of all heads `[heads · codes, d_head]`, in models with codebooks there.
  public var headCodes: Tensor?
  /// The codes of the MLP's output `[codes, d_model]`, in models with a codebook there.
  public var mlpCodes: Tensor?
  /// On the residual stream behind attention, where the stream itself is normalised (BERT).
  public var streamNormAfterAttention: NormWeights?
  /// On the residual stream behind the MLP.
  public var streamNormAfterMLP: NormWeights?

  /// Whether there is an MLP or experts.
  public var hasMLP: Bool { mlp != nil || experts != nil }
  /// The norm whose rows the MLP reads.
  var normBeforeMLP: NormWeights? { sharesNorm ? attentionNorm : mlpNorm }

  /// All parts together.
  public init(
    attentionNorm: NormWeights?, attention: AttentionWeights, attentionPostNorm: NormWeights? = nil,
    mlpNorm: NormWeights? = nil, mlp: MLPWeights? = nil, mlpPostNorm: NormWeights? = nil
  ) {
    self.attentionNorm = attentionNorm
    self.attention = attention
    self.attentionPostNorm = attentionPostNorm
    self.mlpNorm = mlpNorm
    self.mlp = mlp
    self.mlpPostNorm = mlpPostNorm
  }
}

extension BlockWeights {
  /// Starts to read what lies in a file.
  func prefetch() {
    for matrix in attention.matrices + (mlp?.matrices ?? []) { matrix.prefetch() }
  }
}

/// The parameters of a normalisation; without gain it only scales.
public struct NormWeights: Sendable {
  /// `[d_model]`
  public var gain: Tensor?
  /// `[d_model]`
  public var bias: Tensor?

  /// Gain and bias.
  public init(gain: Tensor?, bias: Tensor? = nil) {
    self.gain = gain
    self.bias = bias
  }
}

/// The parameters of one layer's attention.
public struct AttentionWeights: Sendable {
  /// How queries, keys and values are made.
  public enum Projections: Sendable {
    /// One product gives all three, in the order that the case says.
    case fused(Linear, FusedOrder)
    /// Three products.
    case separate(queries: Linear, keys: Linear, values: Linear)
  }

  /// How the columns of a fused projection are laid out.
  public enum FusedOrder: Sendable, Equatable {
    /// All queries, then all keys, then all values; heads side by side within each.
    case byKind
    /// Each head's query, key and value side by side (GPT-NeoX).
    case byHead
    /// Each group's queries, then its key, then its value (Falcon).
    case byGroup
  }

  /// Residual stream → queries, keys and values.
  public var projections: Projections
  /// heads · d_head → d_model (W_O and b_O).
  public var output: Linear
  /// One more score of every head, whose share of the pattern goes nowhere `[heads]` (GPT-OSS).
  public var sinks: Tensor?
  /// Gain of the normalisation of each query `[d_head]` (Qwen 3, Gemma 3), or of all heads' `[heads · d_head]`.
  public var queryNorm: Tensor?
  /// Gain of the normalisation of each key `[d_head]`, or of all groups'.
  public var keyNorm: Tensor?

  /// All parts together.
  public init(
    projections: Projections, output: Linear, queryNorm: Tensor? = nil, keyNorm: Tensor? = nil
  ) {
    self.projections = projections
    self.output = output
    self.queryNorm = queryNorm
    self.keyNorm = keyNorm
  }
}

/// The parameters of one layer's MLP.
public struct MLPWeights: Sendable {
  /// d_model → d_mlp, in front of the activation of a gated MLP.
  public var gate: Linear?
  /// d_model → d_mlp.
  public var input: Linear
  /// d_mlp → d_model.
  public var output: Linear

  /// All parts together.
  public init(gate: Linear? = nil, input: Linear, output: Linear) {
    self.gate = gate
    self.input = input
    self.output = output
  }
}
