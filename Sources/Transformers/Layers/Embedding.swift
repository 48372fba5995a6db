// Tokens → residual stream.

import Tensors

extension TransformerWeights {
  /// The embeddings of tokens `[tokens, d_model]`, scaled where the model scales them.
  public func embed(tokens: [Int32], scale: Float) throws -> Tensor {
    try embedding.embed(tokens: tokens, scale: scale)
  }
}

extension EmbeddingWeights {
  /// The embeddings of tokens `[tokens, d_model]`, scaled where the model scales them.
  func embed(tokens ids: [Int32], scale: Float) throws -> Tensor {
    var rows = try tokens.rows(ids)
    if scale != 1 { rows.scale(by: scale) }
    return rows
  }

  /// Tokens and positions as the first residual stream `[rows, d_model]`, before its own norm.
  func firstStream(
    tokens ids: [Int32], positions places: [Int32], _ configuration: TransformerConfiguration,
    _ run: inout some BlockRun
  ) throws -> Tensor {
    var stream = try embed(tokens: ids, scale: configuration.embeddingScale)
    try run.visit(.embedding, &stream)
    if run.reaches(.positionEmbedding), var added = positions?.gatherRows(places) {
      try run.visit(.positionEmbedding, &added)
      stream.add(added)
    }
    if let segment { stream.addToRows(segment) }
    return stream
  }

  /// Normalises the first stream, where the model does so; gives what it was before.
  func normalizeFirst(_ stream: inout Tensor, _ configuration: TransformerConfiguration) -> Tensor? {
    guard let norm, let kind = configuration.normalization else { return nil }
    let before = stream
    stream = Tensor(uninitialized: before.shape)
    norm.apply(to: before, kind, into: &stream)
    return before
  }
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
