// One run of a model over one batch, as far as somebody reads, with nothing kept.

import Tensors

/// A residual stream that a run goes on from, so that what stays the same before it is computed once for many runs.
public struct StreamStart: Sendable {
  /// The layer that reads the stream first; as many as there are layers to begin with the final norm.
  public var layer: Int
  /// `resid_pre` of that layer `[batch, position, d_model]`.
  public var stream: Tensor

  /// A stream before a layer.
  public init(layer: Int, stream: Tensor) {
    self.layer = layer
    self.stream = stream
  }

  /// Refuses a stream that is not one of this model and batch; hook points before it are a programmer's mistake.
  func check(_ model: Transformer, _ batch: TokenBatch, _ points: Set<HookPoint>) {
    precondition(
      stream.shape == [batch.count, batch.width, model.configuration.dModel]
        && (0...model.configuration.layers).contains(layer),
      "a stream of shape \(stream.shape) before layer \(layer) for \(batch.count) prompts of \(batch.width)")
    let first = layer < model.configuration.layers ? HookPoint.residPre(layer: layer) : .finalNorm
    precondition(
      points.allSatisfy { $0.order >= first.order },
      "a hook point before layer \(layer), where the run begins")
  }
}

extension Transformer {
  /// Tokens and positions as the first residual stream `[rows, d_model]`.
  func firstStream(
    tokens: [Int32], positions: [Int32], _ run: inout some BlockRun
  ) throws -> Tensor {
    try weights.embedding.firstStream(tokens: tokens, positions: positions, configuration, &run)
  }

  /// Normalises the first stream, where the model does so; gives what it was before.
  func normalizeFirst(_ stream: inout Tensor) -> Tensor? {
    weights.embedding.normalizeFirst(&stream, configuration)
  }

  /// The stream that a run begins with: of its tokens, or one that was read before.
  func startingStream(
    _ batch: TokenBatch, _ start: StreamStart?, positions: [Int32], _ run: inout some BlockRun
  ) throws -> Tensor {
    if let start { return batch.packed(start.stream) }
    var stream = try firstStream(tokens: batch.packedIDs, positions: positions, &run)
    _ = normalizeFirst(&stream)
    return stream
  }

  /// Runs all layers that `run` wants, to the stream behind the last of them.
  func lastStream(
    _ batch: TokenBatch, from start: StreamStart?, _ run: inout some BlockRun
  ) throws -> Tensor {
    let layout = batch.layout
    var stream = try startingStream(batch, start, positions: layout.positions, &run)
    var (kept, scratch) = (BlockActivations(for: .none), BlockScratch())
    for layer in (start?.layer ?? 0)..<configuration.layers where run.reaches(.residPre(layer: layer)) {
      try Block(self, layer, layout).forward(&stream, keeping: &kept, &scratch, &run)
    }
    return stream
  }

  /// Runs until the last value that `run` wants.
  func read(_ batch: TokenBatch, from start: StreamStart?, _ run: inout some BlockRun) throws {
    let stream = try lastStream(batch, from: start, &run)
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
