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
  ///   - start: a stream to go on from, in place of the prompts' tokens.
  /// - Throws: `TransformerError` for prompts or hook points that the model does not have.
  public func run(
    _ batch: TokenBatch, reading points: Set<HookPoint>, applying edits: [HookPoint: Edit] = [:],
    from start: StreamStart? = nil
  ) throws -> Activations {
    var activations = Activations()
    try run(batch, observing: points, applying: edits, from: start) { point, value in
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
    from start: StreamStart? = nil, _ observer: (HookPoint, borrowing Tensor) throws -> Void
  ) throws {
    try batch.check(configuration)
    try checkPresence(of: points.union(edits.keys))
    start?.check(self, batch, points.union(edits.keys))
    guard !points.isEmpty else { return }
    try withoutActuallyEscaping(observer) { observer in
      var reader = ValueReader(batch, .up, reading: points, edits: edits, observer: observer)
      try read(batch, from: start, &reader)
    }
  }

  /// The logits of the last token of each prompt `[prompt, vocabulary]`.
  public func nextTokenLogits(_ batch: TokenBatch, applying edits: [HookPoint: Edit] = [:]) throws -> Tensor {
    try logits(batch, at: batch.lengths.map { [$0 - 1] }, applying: edits)
  }

  /// The logits of some positions of each prompt, prompt by prompt `[positions, vocabulary]`.
  ///
  /// Only their rows pass the final norm and the unembedding, unless an edit stands there.
  ///
  /// - Parameters:
  ///   - positions: the positions of each prompt.
  ///   - edits: changes made at hook points before anything later is computed.
  ///   - start: a stream to go on from, in place of the prompts' tokens.
  /// - Throws: `TransformerError` for prompts or hook points that the model does not have.
  public func logits(
    _ batch: TokenBatch, at positions: [[Int]], applying edits: [HookPoint: Edit] = [:],
    from start: StreamStart? = nil
  ) throws -> Tensor {
    try batch.check(configuration)
    try checkPresence(of: Set(edits.keys))
    start?.check(self, batch, Set(edits.keys))
    var rows: [Int32] = []
    var first = 0
    for (length, positions) in zip(batch.lengths, positions) {
      precondition(
        positions.allSatisfy { (0..<length).contains($0) }, "positions \(positions) of \(length) tokens")
      rows += positions.map { Int32(first + $0) }
      first += length
    }
    let isEdited = edits[.finalNorm] != nil || edits[.logits] != nil
    var reader = ValueReader(
      batch, .up, reading: [], edits: edits, until: isEdited ? .max : HookPoint.finalNorm.order - 1
    ) { _, _ in }
    var stream = try lastStream(batch, from: start, &reader)
    if !isEdited { stream = stream.gatherRows(rows) }
    var end = Unembedding.Activations()
    reader.end = .max
    try Unembedding(self).forward(stream, keeping: &end, &reader)
    guard isEdited else { return end.logits }
    try reader.visit(.logits, &end.logits)
    return end.logits.gatherRows(rows)
  }

  /// A metric of each prompt of a batch, without gradients.
  ///
  /// - Throws: `TransformerError` for prompts or hook points that the model does not have, and for a metric that is not
  ///   a finite number.
  public func values(
    of metric: any LogitMetric, _ batch: TokenBatch, applying edits: [HookPoint: Edit] = [:],
    from start: StreamStart? = nil
  ) throws -> [Double] {
    let positions = (0..<batch.count).map { metric.positions(ofPrompt: $0) }
    let logits = try logits(batch, at: positions, applying: edits, from: start)
    var place = 0
    return try positions.enumerated().map { prompt, positions in
      let chosen = logits.rows(place..<place + positions.count)
      place += positions.count
      var slopes = Tensor(zeros: chosen.shape)
      let value = metric.evaluate(prompt: prompt, logits: chosen, gradient: &slopes)
      guard value.isFinite else { throw TransformerError.metricNotFinite(prompt: prompt, value: value) }
      return value
    }
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
      let isMLP = [.mlpInput, .mlpPre, .mlpPost, .rawMLPOut, .mlpOut, .routerLogits, .expertWeights]
        .contains(place)
      if isMLP, configuration.mlp == .none {
        throw .absentHookPoint(point, reason: "the model has attention only")
      }
      if let codes = place.codebookPlace, configuration.codebookShape(codes) == nil {
        throw .absentHookPoint(
          point, reason: codes == .heads ? "the heads have no codebooks" : "the MLPs have no codebooks")
      }
      let hasExperts = weights.blocks[layer].experts != nil
      if [.routerLogits, .expertWeights].contains(place), !hasExperts {
        throw .absentHookPoint(point, reason: "the layer has no experts")
      }
      if [.mlpPre, .mlpPost].contains(place), hasExperts {
        throw .absentHookPoint(point, reason: "the layer has several hidden layers, one for each expert")
      }
      if AttentionRole.allCases.contains(where: { $0.input == place }), configuration.projectionLimit != nil,
        configuration.groupSize > 1
      {
        throw .absentHookPoint(
          point, reason: "keys and values that are cut are not made apart for query heads")
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
