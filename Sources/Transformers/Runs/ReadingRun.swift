// One run of a model over one batch, as far as somebody reads, with nothing kept.

import Tensors

extension Transformer {
  /// Tokens and positions as the first residual stream `[rows, d_model]`.
  func firstStream(
    tokens: [Int32], positions: [Int32], _ run: inout some BlockRun
  ) throws -> Tensor {
    var stream = try weights.embed(tokens: tokens, scale: configuration.embeddingScale)
    try run.visit(.embedding, &stream)
    if run.reaches(.positionEmbedding), var added = weights.embed(positions: positions) {
      try run.visit(.positionEmbedding, &added)
      stream.add(added)
    }
    return stream
  }

  /// Runs until the last value that `run` wants.
  func read(_ batch: TokenBatch, _ run: inout some BlockRun) throws {
    let layout = SequenceLayout(lengths: batch.lengths)
    var stream = try firstStream(tokens: batch.packedIDs, positions: layout.positions, &run)
    var (kept, scratch) = (BlockActivations(for: .none), BlockScratch())
    for layer in 0..<configuration.layers where run.reaches(.residPre(layer: layer)) {
      try Block(self, layer, layout).forward(&stream, keeping: &kept, &scratch, &run)
    }
    guard run.reaches(.finalNorm) else { return }
    var end = Unembedding.Activations()
    try Unembedding(self).forward(stream, keeping: &end, &run)
    if run.reaches(.logits) { try run.visit(.logits, &end.logits) }
  }
}

extension TokenBatch {
  /// The ids of all prompts' tokens, one after the other, without padding.
  var packedIDs: [Int32] {
    lengths.indices.flatMap { prompt in ids[prompt * width..<prompt * width + lengths[prompt]] }
  }
}
