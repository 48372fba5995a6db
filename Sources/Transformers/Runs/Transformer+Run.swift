// Running a model: what to read, what to edit, in one call.

import Tensors

extension Transformer {
  /// Runs the model on a batch.
  ///
  /// Only what the hook points need is computed: nothing after the last one, and logits only where they are asked for.
  /// A prompt's values do not depend on the others in its batch.
  ///
  /// - Parameters:
  ///   - points: the values to answer with.
  ///   - edits: changes made at hook points before anything later is computed.
  /// - Throws: `TransformerError` for prompts or hook points that the model does not have.
  public func run(
    _ batch: TokenBatch, reading points: Set<HookPoint>, applying edits: [HookPoint: Edit] = [:]
  ) throws -> Activations {
    var activations = Activations()
    try run(batch, observing: points, applying: edits) { point, value in
      activations.store(value, at: point)
    }
    return activations
  }

  /// Runs the model on a batch and hands each value over as soon as it is computed, keeping none.
  ///
  /// - Parameters:
  ///   - points: the values to hand over.
  ///   - edits: changes made at hook points before anything later is computed; observers see edited values.
  ///   - observer: called once for each point, in the order of computation.
  /// - Throws: `TransformerError` for prompts or hook points that the model does not have, and what `observer` throws.
  public func run(
    _ batch: TokenBatch, observing points: Set<HookPoint>, applying edits: [HookPoint: Edit] = [:],
    _ observer: (HookPoint, borrowing Tensor) throws -> Void
  ) throws {
    try batch.check(configuration)
    try checkPresence(of: points.union(edits.keys))
    guard !points.isEmpty else { return }
    try withoutActuallyEscaping(observer) { observer in
      var reader = ValueReader(batch, .up, reading: points, edits: edits, observer: observer)
      try read(batch, &reader)
    }
  }

  /// The logits of the last token of each prompt `[prompt, vocabulary]`.
  public func nextTokenLogits(_ batch: TokenBatch, applying edits: [HookPoint: Edit] = [:]) throws -> Tensor {
    let logits = try run(batch, reading: [.logits], applying: edits)[.logits]
    let flat = logits.reshaped([batch.count * batch.width, configuration.vocabulary])
    return flat.gatherRows(batch.lengths.indices.map { Int32($0 * batch.width + batch.lengths[$0] - 1) })
  }

  /// Refuses hook points that this model does not have.
  func checkPresence(of points: Set<HookPoint>) throws(TransformerError) {
    for point in points.sorted(by: { $0.order < $1.order }) { try checkPresence(of: point) }
  }

  /// Refuses a hook point that this model does not have.
  private func checkPresence(of point: HookPoint) throws(TransformerError) {
    switch point {
    case .positionEmbedding where configuration.positions != .learned:
      throw .absentHookPoint(point, reason: "the model adds no position embeddings")
    case .finalNorm where weights.finalNorm == nil:
      throw .absentHookPoint(point, reason: "the model has no final normalisation")
    case .block(let layer, let place):
      guard layer >= 0, layer < configuration.layers else {
        throw .absentHookPoint(point, reason: "the model has \(configuration.layers) layers, counted from 0")
      }
      let isMLP = [.mlpInput, .mlpPre, .mlpPost, .rawMLPOut, .mlpOut].contains(place)
      if isMLP, configuration.mlp == .none {
        throw .absentHookPoint(point, reason: "the model has attention only")
      }
      if place == .residMid, configuration.residual == .parallel {
        throw .absentHookPoint(point, reason: "attention and MLP of this model run side by side")
      }
      if place == .residMid, configuration.mlp == .none {
        throw .absentHookPoint(point, reason: "the model has attention only")
      }
    default: break
    }
  }
}
