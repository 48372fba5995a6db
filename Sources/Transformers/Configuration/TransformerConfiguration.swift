// What a transformer is made of, in terms that every family shares.

import Tensors

/// The architecture of a transformer.
public struct TransformerConfiguration: Sendable, Equatable {
  /// Where a token's place in its prompt enters.
  public enum Positions: Sendable, Equatable {
    /// Nowhere.
    case none
    /// A learned vector for each position is added to the embedding.
    case learned
    /// Queries and keys are turned (see `AttentionConfiguration.rotary`).
    case rotary
  }

  /// The MLP of a layer.
  public enum MLP: Sendable, Equatable {
    /// No MLP: an attention-only model.
    case none
    /// W_out · act(W_in · x).
    case plain
    /// W_out · (act(W_gate · x) ⊙ W_in · x) (Shazeer 2020).
    case gated
    /// Several gated MLPs of which a router chooses some for each token; layers may have a single one instead.
    case experts(ExpertRouting)

    /// Whether layers have an MLP of any kind.
    public var isPresent: Bool { self != .none }
  }

  /// How attention and MLP read the residual stream.
  public enum Residual: Sendable, Equatable {
    /// The MLP reads what attention has written.
    case sequential
    /// Both read the stream as it was before the layer (Wang & Komatsuzaki 2021).
    case parallel
    /// As sequential, with the stream itself normalised behind attention and behind the MLP (Vaswani et al. 2017).
    case normalized
  }

  /// Which vectors are normalised together where queries and keys are normalised.
  public enum HeadNormSpan: Sendable, Equatable {
    /// Each head's by itself.
    case each
    /// Those of all heads of a token at once (OLMo 2).
    case all
  }

  /// Which token the logits of a position are about.
  public enum Prediction: Sendable, Equatable {
    /// The one after it.
    case next
    /// The one that stands there, behind a mask (BERT).
    case masked
  }

  /// The family's name in config.json (`model_type`).
  public var family: String
  /// Number of layers.
  public var layers: Int
  /// Number of query heads of a layer.
  public var heads: Int
  /// Number of key and value heads of a layer; fewer than `heads` with grouped queries.
  public var keyValueHeads: Int
  /// Width of the residual stream (d_model).
  public var dModel: Int
  /// Width of a head (d_head).
  public var dHead: Int
  /// Width of the MLP's hidden layer (d_mlp); 0 without MLPs.
  public var dMLP: Int
  /// Number of tokens that the embedding has rows for.
  public var vocabulary: Int
  /// The longest prompt.
  public var context: Int
  /// How rows are normalised before attention, MLP and unembedding; nil for not at all.
  public var normalization: RowNormalization?
  /// Where positions enter.
  public var positions: Positions
  /// The MLP's nonlinearity.
  public var activation: Activation
  /// The kind of MLP.
  public var mlp: MLP
  /// How attention and MLP follow each other.
  public var residual: Residual = .sequential
  /// Attention's rules in each layer.
  public var attention: [AttentionConfiguration]
  /// A factor on token embeddings.
  public var embeddingScale: Float = 1
  /// Whether the token embedding serves as unembedding too.
  public var tiesEmbeddings = false
  /// Logits x become cap·tanh(x / cap) where given.
  public var logitCap: Float?
  /// A factor on logits, before a cap.
  public var logitScale: Float = 1
  /// A factor on what attention and MLP add to the residual stream.
  public var residualScale: Float = 1
  /// Which vectors are normalised together where queries and keys are normalised.
  public var headNormSpan: HeadNormSpan = .each
  /// How queries and keys are normalised, where not as the stream is.
  public var headNormalization: RowNormalization?
  /// Queries, keys and values are cut to ±limit where given (OLMo).
  public var projectionLimit: Float?
  /// Which token the logits of a position are about.
  public var prediction: Prediction = .next

  /// Codebooks on heads and MLPs; nil where there are none.
  public var codebooks: CodebookConfiguration?

  /// Query heads that share one key and value head.
  public var groupSize: Int { heads / keyValueHeads }

  /// Number of heads of all layers.
  public var headCount: Int { layers * heads }
}

/// How a router chooses experts, and how they work.
public struct ExpertRouting: Sendable, Equatable {
  /// The activation of an expert's hidden layer.
  public enum Gate: Sendable, Equatable {
    /// act(gate) ⊙ up.
    case plain(Activation)
    /// g·logistic(slope·g) ⊙ (u + 1), with g cut at the limit and u at ± the limit (GPT-OSS).
    case clamped(slope: Float, limit: Float)
  }

  /// Number of experts of a layer.
  public var experts: Int
  /// How many of them each token passes.
  public var chosen: Int
  /// Whether the weights of the chosen add up to 1; else they are their share of the softmax over all.
  public var normalizesWeights: Bool
  /// Width of an expert's hidden layer.
  public var width: Int
  /// An expert's activation.
  public var gate: Gate

  /// A rule of routing.
  public init(experts: Int, chosen: Int, normalizesWeights: Bool, width: Int, gate: Gate) {
    self.experts = experts
    self.chosen = chosen
    self.normalizesWeights = normalizesWeights
    self.width = width
    self.gate = gate
  }
}

/// The attention of one layer.
public struct AttentionConfiguration: Sendable, Equatable {
  /// Scale, mask, window and cap of the scores.
  public var rule: AttentionRule
  /// The angles by which queries and keys are turned, if they are.
  public var rotary: RotaryConfiguration?

  /// Attention by `rule`.
  public init(rule: AttentionRule, rotary: RotaryConfiguration? = nil) {
    self.rule = rule
    self.rotary = rotary
  }
}
