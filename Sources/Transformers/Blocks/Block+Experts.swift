// The way of a layer's rows through its experts, up and back.

import Tensors

extension Block {
  private var routing: ExpertRouting {
    guard case .experts(let routing) = configuration.mlp else {
      preconditionFailure("experts in a model whose configuration has none")
    }
    return routing
  }

  /// Adds the chosen experts' outputs to `target`, each by its weight; experts that no row chooses are not read.
  ///
  /// - Parameter x: normalised rows `[rows, d_model]`.
  func writeExperts(
    _ experts: ExpertsWeights, _ x: Tensor, to target: inout Tensor, _ kept: inout BlockActivations,
    _ run: inout some BlockRun
  ) throws {
    var logits = try experts.router(x)
    try run.visit(point(.routerLogits), &logits)
    guard run.reaches(point(.expertWeights)) else { return }
    var weights = routing.weights(of: logits)
    try run.visit(point(.expertWeights), &weights)
    if kept.isKept { (kept.routerLogits, kept.expertWeights) = (logits, weights) }
    guard run.reaches(point(.mlpCodesInput)) else { return }
    for (index, expert) in experts.experts.enumerated() {
      let rows = Self.rows(weights, passing: index)
      guard !rows.isEmpty else { continue }
      let hidden = try expert.hidden(x.gatherRows(rows), routing.gate).hidden
      var out = try expert.output(hidden)
      Self.scale(&out, by: weights, rows, expert: index)
      target.scatterRows(of: out, to: rows, MatrixWindow(rows: x.shape[0], columns: configuration.dModel))
    }
  }

  /// The rows with a weight for an expert.
  fileprivate static func rows(_ weights: Tensor, passing expert: Int) -> [Int32] {
    (0..<weights.shape[0]).filter { weights[$0, expert] != 0 }.map { Int32($0) }
  }

  fileprivate static func scale(_ values: inout Tensor, by weights: Tensor, _ rows: [Int32], expert: Int) {
    let width = values.shape[1]
    values.withMutableValues { values in
      for (place, row) in rows.enumerated() {
        let weight = weights[Int(row), expert]
        for column in place * width..<(place + 1) * width { values[column] *= weight }
      }
    }
  }
}

extension BlockWay {
  /// The adjoint of `writeExperts`: from the gradient of the sum of outputs, in `scratch.raw`, to that of the rows that
  /// the experts read, in `scratch.normalized`. What the way up can make again is made again, expert by expert.
  func throughExperts(
    _ experts: ExpertsWeights, _ scratch: inout AdjointScratch, _ run: inout some BlockRun
  ) throws {
    guard case .experts(let routing) = configuration.mlp else { return }
    var x = Tensor(zeros: [0])
    block.normalize(kept.middle, weights.normBeforeMLP, into: &x)
    let place = MatrixWindow(rows: x.shape[0], columns: configuration.dModel)
    scratch.normalized.become(zeros: block.streamShape)
    var dWeights = Tensor(zeros: kept.expertWeights.shape)
    for (index, expert) in experts.experts.enumerated() {
      let rows = Block.rows(kept.expertWeights, passing: index)
      guard !rows.isEmpty else { continue }
      let hidden = try expert.hidden(x.gatherRows(rows), routing.gate)
      let out = try expert.output(hidden.hidden)
      var gradient = scratch.raw.gatherRows(rows)
      for (place, row) in rows.enumerated() {
        dWeights[Int(row), index] = Self.product(gradient.row(place), out.row(place))
      }
      Block.scale(&gradient, by: kept.expertWeights, rows, expert: index)
      var dHidden = Tensor(uninitialized: hidden.hidden.shape)
      try expert.output.adjoint(gradient, into: &dHidden)
      let dx = try expert.hiddenAdjoint(dHidden, hidden, routing.gate, slopeRule: slopeRule)
      scratch.normalized.scatterRows(of: dx, to: rows, place)
    }
    try run.visit(point(.expertWeights), &dWeights)
    // A factor that is itself made from the rows counts as a constant for relevance, as a norm's scale does.
    var dLogits =
      slopeRule == .exact
      ? routing.weightsAdjoint(dWeights, logits: kept.routerLogits) : Tensor(zeros: dWeights.shape)
    try run.visit(point(.routerLogits), &dLogits)
    try experts.router.adjoint(dLogits, into: &scratch.normalized, accumulating: true)
  }

  private static func product(_ one: Tensor, _ other: Tensor) -> Float {
    one.withValues { one in
      other.withValues { other in one.indices.reduce(Float(0)) { $0 + one[$1] * other[$1] } }
    }
  }
}
