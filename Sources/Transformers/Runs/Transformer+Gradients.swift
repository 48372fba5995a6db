// Gradients of a metric at hook points: the sibling of `run`.

import Tensors

/// What a run with gradients gives.
public struct MetricGradients: Sendable {
  /// The metric of each prompt.
  public var metric: [Double]
  /// The values that were read.
  public var values: Activations
  /// The gradient of the summed metric at each hook point, in the value's own shape; zeros past each prompt's end.
  public var gradients: Activations
}

extension Transformer {
  /// Runs the model on a batch and gives the gradient of a metric at hook points.
  ///
  /// No gradients of parameters are made. Values that the way back needs are kept layer by layer and let go as it passes;
  /// it ends at the earliest hook point. A prompt's gradients do not depend on the others in its batch.
  ///
  /// ```swift
  /// let run = try model.gradients(of: LogitDifference([question]), batch, at: [.z(layer: 3)])
  /// print(run.gradients[.z(layer: 3)].shape)   // [1, 2, 12, 64]
  /// ```
  ///
  /// - Parameters:
  ///   - metric: a number a prompt; gradients are those of the sum over the batch.
  ///   - points: where gradients are wanted: ∂metric/∂value, after any edit of the value.
  ///   - values: the values to answer with as well.
  ///   - edits: changes made on the way up; their adjoints pass the gradient on.
  ///   - rule: how gradients pass nonlinear parts.
  ///   - start: a stream to go on from, in place of the prompts' tokens; the way back ends there.
  /// - Throws: `TransformerError` for prompts or hook points that the model does not have, and for a metric that is not
  ///   a finite number.
  public func gradients(
    of metric: any LogitMetric, _ batch: TokenBatch, at points: Set<HookPoint>,
    reading values: Set<HookPoint> = [], applying edits: [HookPoint: Edit] = [:], rule: SlopeRule = .exact,
    from start: StreamStart? = nil
  ) throws -> MetricGradients {
    var (read, gradients) = (Activations(), Activations())
    let scores = try self.gradients(
      of: metric, batch, observing: points, reading: values, applying: edits, rule: rule, from: start,
      values: { read.store($1, at: $0) }, gradients: { gradients.store($1, at: $0) })
    return MetricGradients(metric: scores, values: read, gradients: gradients)
  }

  /// As `gradients(of:_:at:)`, handing values and gradients over as soon as they are computed, and keeping none.
  ///
  /// - Parameters:
  ///   - observer: gets each value, in the order of computation.
  ///   - gradientObserver: gets each gradient, in the reverse order.
  /// - Returns: the metric of each prompt.
  public func gradients(
    of metric: any LogitMetric, _ batch: TokenBatch, observing points: Set<HookPoint>,
    reading valuePoints: Set<HookPoint> = [], applying edits: [HookPoint: Edit] = [:],
    rule: SlopeRule = .exact, from start: StreamStart? = nil,
    values observer: (HookPoint, borrowing Tensor) throws -> Void,
    gradients gradientObserver: (HookPoint, borrowing Tensor) throws -> Void
  ) throws -> [Double] {
    try batch.check(configuration)
    try checkPresence(of: points.union(valuePoints).union(edits.keys))
    try checkSlopes(at: points.union(edits.keys))
    start?.check(self, batch, points.union(valuePoints).union(edits.keys))
    return try withoutActuallyEscaping(observer) { observer in
      try withoutActuallyEscaping(gradientObserver) { gradientObserver in
        var run = GradientRun(
          model: self, batch: batch, metric: metric, rule: rule, start: start,
          up: ValueReader(
            batch, .up, reading: valuePoints, edits: edits, until: .max, observer: observer),
          back: ValueReader(batch, .back, reading: points, edits: edits, observer: gradientObserver))
        run.up.alsoConcerns = headInputsToSplit(points, edits)
        return try run.run()
      }
    }
  }

  /// The gradient of a metric, summed over a batch, for every parameter.
  ///
  /// - Returns: the metric of each prompt, and the gradients in the parameters' layout.
  /// - Throws: as `gradients(of:_:at:)`.
  public func parameterGradient(
    of metric: any LogitMetric, _ batch: TokenBatch
  ) throws -> (metric: [Double], gradient: ParameterGradient) {
    try batch.check(configuration)
    let sums = ParameterGradient(ParameterLayout(self))
    var run = GradientRun(
      model: self, batch: batch, metric: metric, rule: .exact, start: nil,
      up: ValueReader(batch, .up, reading: [], edits: [:], until: .max) { _, _ in },
      back: ValueReader(batch, .back, reading: [], edits: [:], until: -1) { _, _ in }, parameters: sums)
    let scores = try run.run()
    return (scores, run.parameters ?? sums)
  }

  /// Refuses places that have no gradient.
  private func checkSlopes(at points: Set<HookPoint>) throws(TransformerError) {
    for case .block(let layer, let place) in points where place.isCodeNumbers {
      throw .absentHookPoint(
        .block(layer: layer, place),
        reason: "numbers of codes have no gradient, and forced codes pass none on")
    }
  }

  /// The inputs that query heads must read apart on the way up: those of a layer whose keys or values are edited while
  /// the gradient of what each query head reads is wanted, and all where keys are normalised together.
  private func headInputsToSplit(_ points: Set<HookPoint>, _ edits: [HookPoint: Edit]) -> Set<HookPoint> {
    guard configuration.groupSize > 1 else { return [] }
    return Set(
      (0..<configuration.layers).filter { layer in
        AttentionRole.allCases.contains { points.contains(.block(layer: layer, $0.input)) }
          && (configuration.headNormSpan == .all || edits[.keys(layer: layer)] != nil
            || edits[.values(layer: layer)] != nil)
      }.map { .block(layer: $0, .keysInput) })
  }
}
