// Tokens → residual stream.

import Tensors

extension TransformerWeights {
  /// The embeddings of tokens `[tokens, d_model]`, scaled where the model scales them.
  public func embed(tokens: [Int32], scale: Float) throws -> Tensor {
    var rows = try tokenEmbedding.rows(tokens)
    if scale != 1 { rows.scale(by: scale) }
    return rows
  }

  /// The learned vectors of positions `[positions, d_model]`; nil where positions enter elsewhere.
  func embed(positions: [Int32]) -> Tensor? { positionEmbedding?.gatherRows(positions) }
}

extension ParameterGradient {
  /// The adjoint of both embeddings: adds the gradient of the first residual stream to the rows that it came from.
  mutating func addEmbedding(_ dStream: Tensor, tokens: [Int32], positions: [Int32], scale: Float) {
    if scale == 1 {
      add(rows: dStream, to: .tokenEmbedding, tokens)
    } else {
      var scaled = dStream
      scaled.scale(by: scale)
      add(rows: scaled, to: .tokenEmbedding, tokens)
    }
    add(rows: dStream, to: .positionEmbedding, positions)
  }
}
