// One run up and back: what a batch's metric depends on, hook point by hook point.

import Tensors

/// The memory of a run with a way back: one entry a layer, used again by the next batch.
struct GradientTape: Sendable {
  var blocks: [BlockActivations]
  /// The values of layers to which the way back does not come.
  var passing = BlockActivations(for: .none)
  var end = Unembedding.Activations()
  var scratch = BlockScratch()
  var adjointScratch = AdjointScratch()

  init(
    layers: Int, for purpose: BlockActivations.Purpose, where comesBack: (Int) -> Bool = { _ in true }
  ) {
    blocks = (0..<layers).map { BlockActivations(for: comesBack($0) ? purpose : .none) }
  }
}

extension Transformer {
  /// The layers' way up, from the first stream to the last.
  func ascend(
    _ stream: inout Tensor, _ layout: SequenceLayout, _ tape: inout GradientTape, from first: Int = 0,
    _ run: inout some BlockRun
  ) throws {
    for layer in first..<configuration.layers {
      let block = Block(self, layer, layout)
      if tape.blocks[layer].isKept {
        try block.forward(&stream, keeping: &tape.blocks[layer], &tape.scratch, &run)
      } else {
        try block.forward(&stream, keeping: &tape.passing, &tape.scratch, &run)
      }
    }
  }

  /// The layers' way back, from the gradient of the last stream to that of the first; as far as the run reaches.
  ///
  /// - Parameter release: whether each layer's values are let go as soon as they are used.
  func descend(
    _ gradient: inout Tensor, _ layout: SequenceLayout, _ tape: inout GradientTape, rule: SlopeRule,
    release: Bool, to first: Int = 0, parameters: inout ParameterGradient?, _ run: inout some BlockRun
  ) throws {
    for layer in (first..<configuration.layers).reversed() where run.reaches(.residPost(layer: layer)) {
      try Block(self, layer, layout).adjoint(
        &gradient, tape.blocks[layer], &tape.adjointScratch, rule: rule, parameters: &parameters, &run)
      if release { tape.blocks[layer] = BlockActivations(for: tape.blocks[layer].purpose) }
    }
  }
}

/// A run for the gradients of one metric.
struct GradientRun {
  let model: Transformer
  let batch: TokenBatch
  let metric: any LogitMetric
  let rule: SlopeRule
  let start: StreamStart?
  var up: ValueReader
  var back: ValueReader
  /// Where gradients of parameters are added; nil where none are wanted.
  var parameters: ParameterGradient?

  /// - Returns: the metric of each prompt.
  mutating func run() throws -> [Double] {
    let layout = batch.layout
    var back = back
    let purpose: BlockActivations.Purpose = parameters == nil ? .slopes : .parameters
    var tape = GradientTape(layers: model.configuration.layers, for: purpose) {
      back.reaches(.residPost(layer: $0))
    }
    var stream: Tensor
    var embedded: Tensor?
    if start == nil {
      stream = try model.firstStream(tokens: batch.packedIDs, positions: layout.positions, &up)
      embedded = model.normalizeFirst(&stream)
    } else {
      stream = try model.startingStream(batch, start, positions: layout.positions, &up)
    }
    let first = start?.layer ?? 0
    try model.ascend(&stream, layout, &tape, from: first, &up)

    let rows = metricRows
    let readsAllRows = [HookPoint.finalNorm, .logits].contains { up.concerns($0) || back.concerns($0) }
    if readsAllRows {
      try Unembedding(model).forward(stream, keeping: &tape.end, &up)
    } else {
      var plain = PlainRun()
      try Unembedding(model).forward(
        stream.gatherRows(rows.flatMap { $0 }), keeping: &tape.end, &plain)
    }
    var logits = tape.end.logits
    if readsAllRows { try up.visit(.logits, &logits) }
    let (values, slopes) = try evaluate(logits, rows, readsAllRows: readsAllRows)

    var gradient = slopes
    if readsAllRows { try back.visit(.logits, &gradient) }
    guard back.reaches(.finalNorm) else { return values }
    // Held here alone while they are added to.
    var sums = parameters
    parameters = nil
    defer { parameters = sums }
    var end = back
    if !readsAllRows { end = ValueReader(batch, .back, reading: [], edits: [:]) { _, _ in } }
    let last = try Unembedding(model).adjoint(
      &gradient, tape.end, rule: rule, parameters: &sums, &end)
    var dStream: Tensor
    if readsAllRows {
      dStream = last
    } else {
      dStream = Tensor(zeros: stream.shape)
      dStream.scatterRows(last, to: rows.flatMap { $0 })
    }
    tape.end = Unembedding.Activations()
    try model.descend(
      &dStream, layout, &tape, rule: rule, release: true, to: first, parameters: &sums, &back)
    guard start == nil else { return values }
    throughEmbeddingNorm(embedded, &dStream, &sums)
    sums?.addEmbedding(
      dStream, tokens: batch.packedIDs, positions: layout.positions,
      scale: model.configuration.embeddingScale)
    // Tokens and positions are summed, so each has the stream's gradient.
    if model.weights.positionEmbedding != nil {
      var positions = dStream
      try back.visit(.positionEmbedding, &positions)
    }
    try back.visit(.embedding, &dStream)
    return values
  }

  /// From the gradient of the first stream to that of what it was before its norm, where it has one.
  private func throughEmbeddingNorm(
    _ embedded: Tensor?, _ gradient: inout Tensor, _ sums: inout ParameterGradient?
  ) {
    guard let embedded, let norm = model.weights.embeddingNorm, let kind = model.configuration.normalization
    else { return }
    let upstream = gradient
    gradient = Tensor(zeros: upstream.shape)
    if sums == nil {
      norm.adjoint(embedded, kind, dy: upstream, addingTo: &gradient, rule: rule)
    } else {
      sums?.normalizeAdjoint(
        norm, gain: .embeddingNormGain, bias: .embeddingNormBias, embedded, kind, dy: upstream,
        addingTo: &gradient)
    }
  }

  /// The packed rows whose logits the metric reads, prompt by prompt.
  private var metricRows: [[Int32]] {
    var start = 0
    return batch.lengths.enumerated().map { prompt, length in
      defer { start += length }
      return metric.positions(ofPrompt: prompt).map { Int32(start + $0) }
    }
  }

  /// The metric of each prompt, and the gradient of the logits.
  private func evaluate(
    _ logits: Tensor, _ rows: [[Int32]], readsAllRows: Bool
  ) throws -> (values: [Double], gradient: Tensor) {
    var gradient = Tensor(zeros: logits.shape)
    var values: [Double] = []
    var place = 0
    for (prompt, rows) in rows.enumerated() {
      let chosen = readsAllRows ? logits.gatherRows(rows) : logits.rows(place..<place + rows.count)
      var slopes = Tensor(zeros: chosen.shape)
      let value = metric.evaluate(prompt: prompt, logits: chosen, gradient: &slopes)
      guard value.isFinite else { throw TransformerError.metricNotFinite(prompt: prompt, value: value) }
      values.append(value)
      let targets = readsAllRows ? rows : (place..<place + rows.count).map { Int32($0) }
      gradient.scatterRows(slopes, to: targets)
      place += rows.count
    }
    return (values, gradient)
  }
}
