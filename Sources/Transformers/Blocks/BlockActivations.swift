// What a block's way up leaves for its way back.

import Tensors

/// The values of one block in one run. Buffers are used again by the next block or batch.
struct BlockActivations: Sendable {
  /// What will be asked of the way back.
  enum Purpose: Sendable, Equatable {
    /// Nothing: there is none.
    case none
    /// Gradients of values.
    case slopes
    /// Gradients of values and of parameters.
    case parameters
  }

  let purpose: Purpose
  /// The residual stream as attention read it `[rows, d_model]`.
  var stream = Tensor(zeros: [0])
  /// The same, normalised; kept for parameters.
  var attentionInput = Tensor(zeros: [0])
  /// The streams of query heads that read one of their own, by role; kept where a run changed them.
  var headInputs: [AttentionRole: Tensor] = [:]
  /// Queries, keys and values as they were projected; kept where heads are normalised.
  var projected = Tensor(zeros: [0])
  /// Queries, keys and values as attention used them.
  var placed = Tensor(zeros: [0])
  /// Where they lie in `projected` and `placed`.
  var columns = AttentionColumns(heads: 1, groups: 1, width: 0)
  /// Capped scores; kept where the rule has a cap.
  var scores = Tensor(zeros: [0])
  /// Attention weights, square by square.
  var pattern = Tensor(zeros: [0])
  /// Every head's mix of values `[rows, heads · d_head]`.
  var z = Tensor(zeros: [0])
  /// Every head's mix of values before its codebook; kept for parameters.
  var headCodesInput = Tensor(zeros: [0])
  /// The numbers of the heads' active codes `[rows, heads, active]`.
  var headCodes = Tensor(zeros: [0])
  /// The MLP's output before its codebook and behind it, `[rows, d_model]`; kept for parameters.
  var mlpCodesInput = Tensor(zeros: [0])
  var mlpCodesSum = Tensor(zeros: [0])
  /// The numbers of the MLP's active codes `[rows, 1, active]`.
  var mlpCodes = Tensor(zeros: [0])
  /// Attention's output before the norm behind it; kept where there is one.
  var rawAttentionOut = Tensor(zeros: [0])
  /// The residual stream as the MLP read it `[rows, d_model]`.
  var middle = Tensor(zeros: [0])
  /// The same, normalised; kept for parameters.
  var mlpInput = Tensor(zeros: [0])
  /// The MLP's hidden layer before activation `[rows, d_mlp]`.
  var pre = Tensor(zeros: [0])
  /// W_in·x of a gated MLP `[rows, d_mlp]`.
  var up = Tensor(zeros: [0])
  /// The hidden layer that W_out read; kept for parameters.
  var post = Tensor(zeros: [0])
  /// The router's scores `[rows, experts]`, and the weights of experts as they were used.
  var routerLogits = Tensor(zeros: [0])
  var expertWeights = Tensor(zeros: [0])
  /// The residual stream before it was itself normalised; kept where it is.
  var streamAfterAttention = Tensor(zeros: [0])
  var streamAfterMLP = Tensor(zeros: [0])
  /// The MLP's output before the norm behind it; kept where there is one.
  var rawMLPOut = Tensor(zeros: [0])

  init(for purpose: Purpose) { self.purpose = purpose }

  /// Whether there is a way back.
  var isKept: Bool { purpose != .none }
}

/// Buffers that every block of a run uses in turn.
struct BlockScratch: Sendable {
  /// Normalised rows `[rows, d_model]`.
  var normalized = Tensor(zeros: [0])
  /// The MLP's hidden layer, or a part of its rows.
  var hidden = Tensor(zeros: [0])
  /// What a module adds to the stream, where it has to exist apart `[rows, d_model]`.
  var out = Tensor(zeros: [0])
}

/// Buffers of the way back.
struct AdjointScratch: Sendable {
  /// The gradient of what a module added to the stream `[rows, d_model]`.
  var upstream = Tensor(zeros: [0])
  /// The same, behind a norm.
  var raw = Tensor(zeros: [0])
  /// The gradient of normalised rows `[rows, d_model]`.
  var normalized = Tensor(zeros: [0])
  /// The gradient of z.
  var z = Tensor(zeros: [0])
  /// The gradient of patterns and scores.
  var squares = Tensor(zeros: [0])
  /// The gradient of queries, keys and values.
  var heads = Tensor(zeros: [0])
  /// The gradient of the hidden layer.
  var hidden = Tensor(zeros: [0])
  /// The gradient of W_in·x of a gated MLP.
  var up = Tensor(zeros: [0])
  /// The gradient of what each query head read `[rows, heads, d_model]`.
  var headInputs = Tensor(zeros: [0])
  /// What a module's way back adds to the stream, where it has to exist apart `[rows, d_model]`.
  var stream = Tensor(zeros: [0])
}
