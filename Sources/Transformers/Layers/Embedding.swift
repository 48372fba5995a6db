// Tokens → residual stream.

import Tensors

extension TransformerWeights {
  /// The embeddings of tokens `[tokens, d_model]`, scaled where the model scales them.
  public func embed(tokens: [Int32], scale: Float) throws -> Tensor {
    var rows = try tokenEmbedding.rows(tokens)
    if scale != 1 { rows.scale(by: scale) }
    return rows
  }
}
