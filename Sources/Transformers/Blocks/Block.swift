// One layer of a transformer: the order of its parts, for every family and every run.
//
// Sequential:  stream += attention(norm(stream));  stream += MLP(norm(stream))
// Parallel:    stream += attention(norm(stream)) + MLP(norm(stream))
// Normalized:  stream = norm(stream + attention(stream));  stream = norm(stream + MLP(stream))
// What attention and MLP add may pass a norm behind them (Gemma 2 and 3) and be multiplied by a factor (Granite). Some
// MLPs are several, of which a router chooses (see `Block+Experts.swift`). The parts are in `Layers/`.

import Tensors

/// A layer at work on one layout of packed rows.
struct Block {
  let layer: Int
  let configuration: TransformerConfiguration
  var weights: BlockWeights
  let placement: HeadPlacement
  let layout: SequenceLayout
  let rule: AttentionRule

  init(_ model: Transformer, _ layer: Int, _ layout: SequenceLayout) {
    self.init(model.configuration, model.weights.blocks[layer], model.rotaryTables, layer, layout)
  }

  /// - Parameter configuration: that of the whole model.
  init(
    _ configuration: TransformerConfiguration, _ weights: BlockWeights, _ rotaryTables: RotaryTables,
    _ layer: Int, _ layout: SequenceLayout
  ) {
    self.layer = layer
    self.layout = layout
    self.configuration = configuration
    self.weights = weights
    placement = HeadPlacement(
      headWidth: configuration.dHead,
      normalization: configuration.headNormalization ?? configuration.normalization,
      queryGain: weights.attention.queryNorm, keyGain: weights.attention.keyNorm,
      span: configuration.headNormSpan,
      rotary: configuration.attention[layer].rotary.map { rotaryTables.turns($0, layout) },
      limit: configuration.projectionLimit)
    var rule = configuration.attention[layer].rule
    rule.sinks = weights.attention.sinks?.values
    self.rule = rule
  }

  func point(_ place: BlockPoint) -> HookPoint { .block(layer: layer, place) }

  /// Shape of the residual stream.
  var streamShape: [Int] { [layout.rowCount, configuration.dModel] }

  /// Turns the stream before the layer into the one after it; as far as the run reaches.
  func forward(
    _ stream: inout Tensor, keeping kept: inout BlockActivations, _ scratch: inout BlockScratch,
    _ run: inout some BlockRun
  ) throws {
    try run.visit(point(.residPre), &stream)
    guard run.reaches(point(.queriesInput)) else { return }
    if kept.isKept { kept.stream.assign(stream) }
    try mixValues(stream, &kept, &scratch, &run)
    guard run.reaches(point(.result)) else { return }
    let hasMLP = weights.hasMLP
    if configuration.residual == .parallel {
      if hasMLP { try readStream(stream, &kept, &scratch, &run) }
      try addAttention(to: &stream, &kept, &scratch, &run)
      guard run.reaches(point(.routerLogits)) else { return }
    } else {
      try addAttention(to: &stream, &kept, &scratch, &run)
      guard run.reaches(point(.residMid)) else { return }
      if hasMLP {
        try run.visit(point(.residMid), &stream)
        guard run.reaches(point(.mlpInput)) else { return }
        normalizeStream(&stream, weights.streamNormAfterAttention, keeping: &kept.streamAfterAttention, kept)
        try readStream(stream, &kept, &scratch, &run)
        guard run.reaches(point(.routerLogits)) else { return }
      }
    }
    if hasMLP { try addMLP(to: &stream, &kept, &scratch, &run) }
    guard run.reaches(point(.residPost)) else { return }
    try run.visit(point(.residPost), &stream)
    normalizeStream(&stream, weights.streamNormAfterMLP, keeping: &kept.streamAfterMLP, kept)
  }

  /// Normalises the stream itself, where the model does so.
  private func normalizeStream(
    _ stream: inout Tensor, _ norm: NormWeights?, keeping raw: inout Tensor, _ kept: BlockActivations
  ) {
    guard let norm, let kind = configuration.normalization else { return }
    let before = stream
    if kept.isKept { raw.assign(before) }
    stream = Tensor(uninitialized: before.shape)
    norm.apply(to: before, kind, into: &stream)
  }

  /// `x` normalised into `out`; copied where the model has no norm there.
  func normalize(_ x: Tensor, _ norm: NormWeights?, into out: inout Tensor) {
    guard let norm, let kind = configuration.normalization else { return out.assign(x) }
    out.become(uninitialized: x.shape)
    norm.apply(to: x, kind, into: &out)
  }
}

// Attention.
extension Block {
  /// Computes every head's mix of values from the stream, into `kept.z`.
  private func mixValues(
    _ stream: Tensor, _ kept: inout BlockActivations, _ scratch: inout BlockScratch,
    _ run: inout some BlockRun
  ) throws {
    let roles = AttentionRole.allCases.filter { run.concerns(point($0.input)) }
    if roles.isEmpty {
      normalize(stream, weights.attentionNorm, into: &scratch.normalized)
      kept.columns = weights.attention.columns(configuration)
      kept.placed.become(uninitialized: [layout.rowCount, kept.columns.queries.rowStride])
      try weights.attention.project(scratch.normalized, into: &kept.placed)
      if kept.purpose == .parameters { swap(&scratch.normalized, &kept.attentionInput) }
    } else {
      try projectHeads(stream, roles, &kept, &scratch, &run)
    }
    try run.visit(point(.queries), &kept.placed, kept.columns.queries)
    try run.visit(point(.keys), &kept.placed, kept.columns.keys)
    try run.visit(point(.values), &kept.placed, kept.columns.values)
    if kept.isKept, placement.needsProjected { kept.projected.assign(kept.placed) }
    placement.apply(to: &kept.placed, kept.columns)
    try attend(&kept, &run)
  }

  /// Queries, keys and values where query heads may read streams of their own, so that each has its own keys and values.
  private func projectHeads(
    _ stream: Tensor, _ roles: [AttentionRole], _ kept: inout BlockActivations, _ scratch: inout BlockScratch,
    _ run: inout some BlockRun
  ) throws {
    let heads = configuration.heads
    kept.columns = AttentionColumns(heads: heads, groups: heads, width: configuration.dHead)
    kept.placed.become(uninitialized: [layout.rowCount, kept.columns.queries.rowStride])
    kept.headInputs = [:]
    for role in AttentionRole.allCases {
      var inputs = repeatRows(stream, heads)
      if roles.contains(role) {
        try run.visit(point(role.input), &inputs)
        if kept.isKept { kept.headInputs[role] = inputs }
      }
      normalize(inputs, weights.attentionNorm, into: &scratch.normalized)
      try weights.attention.projectHeads(
        role, scratch.normalized, into: &kept.placed, kept.columns[role], configuration)
    }
  }

  /// From placed queries, keys and values to z.
  private func attend(_ kept: inout BlockActivations, _ run: inout some BlockRun) throws {
    let input = kept.columns.input(kept.placed)
    let zShape = [layout.rowCount, configuration.heads * configuration.dHead]
    let seesPattern = run.concerns(point(.scores)) || run.concerns(point(.pattern))
    if kept.isKept || seesPattern {
      let squares = AttentionSquares(layout, heads: configuration.heads)
      attentionScores(input, rule, layout, into: &kept.pattern)
      if kept.isKept, rule.scoreCap != nil { kept.scores.assign(kept.pattern) }
      if seesPattern {
        maskScores(&kept.pattern, rule, squares)
        try run.visit(point(.scores), &kept.pattern, squares, filling: -.infinity)
        attentionPattern(ofMasked: &kept.pattern, rule, squares)
        try run.visit(point(.pattern), &kept.pattern, squares, filling: 0)
      } else {
        attentionPattern(&kept.pattern, rule, squares)
      }
      guard run.reaches(point(.headCodesInput)) else { return }
      kept.z.become(uninitialized: zShape)
      attentionMix(pattern: kept.pattern, input, layout, into: &kept.z)
    } else {
      guard run.reaches(point(.headCodesInput)) else { return }
      kept.z.become(uninitialized: zShape)
      attentionMix(input, rule, layout, into: &kept.z)
    }
    try chooseHeadCodes(&kept, &run)
    guard run.reaches(point(.z)) else { return }
    try run.visit(
      point(.z), &kept.z, HeadColumns(filling: configuration.heads, width: configuration.dHead))
  }

  /// Adds z·W_O to the stream; in place where nobody looks on the way.
  private func addAttention(
    to stream: inout Tensor, _ kept: inout BlockActivations, _ scratch: inout BlockScratch,
    _ run: inout some BlockRun
  ) throws {
    let output = weights.attention.output
    let isApart =
      weights.attentionPostNorm != nil || configuration.residualScale != 1
      || [.result, .rawAttentionOut, .attentionOut].contains { run.concerns(point($0)) }
    guard isApart else {
      if let bias = output.bias { stream.addToRows(bias) }
      return try output.accumulate(kept.z, into: &stream)
    }
    scratch.out.become(uninitialized: streamShape)
    if run.concerns(point(.result)) {
      var results = try weights.attention.headResults(kept.z, heads: configuration.heads)
      try run.visit(point(.result), &results)
      scratch.out = sumOverHeads(results)
      if let bias = output.bias { scratch.out.addToRows(bias) }
    } else {
      try output.apply(to: kept.z, into: &scratch.out)
    }
    try run.visit(point(.rawAttentionOut), &scratch.out)
    if let norm = weights.attentionPostNorm {
      if kept.isKept { kept.rawAttentionOut.assign(scratch.out) }
      let raw = scratch.out
      normalize(raw, norm, into: &scratch.out)
    }
    if configuration.residualScale != 1 { scratch.out.scale(by: configuration.residualScale) }
    try run.visit(point(.attentionOut), &scratch.out)
    stream.add(scratch.out)
  }
}

// The MLP.
extension Block {
  /// Reads the stream for the MLP: normalised rows in `scratch.normalized`, or `kept.mlpInput` for parameters.
  private func readStream(
    _ stream: Tensor, _ kept: inout BlockActivations, _ scratch: inout BlockScratch,
    _ run: inout some BlockRun
  ) throws {
    if run.concerns(point(.mlpInput)) {
      var input = stream
      try run.visit(point(.mlpInput), &input)
      if kept.isKept { kept.middle.assign(input) }
      normalize(input, weights.normBeforeMLP, into: &scratch.normalized)
    } else {
      if kept.isKept { kept.middle.assign(stream) }
      normalize(stream, weights.normBeforeMLP, into: &scratch.normalized)
    }
    if kept.purpose == .parameters { swap(&scratch.normalized, &kept.mlpInput) }
  }

  /// Adds the MLP's output to the stream; in place where nobody looks on the way.
  private func addMLP(
    to stream: inout Tensor, _ kept: inout BlockActivations, _ scratch: inout BlockScratch,
    _ run: inout some BlockRun
  ) throws {
    let isApart =
      weights.mlpPostNorm != nil || weights.mlpCodes != nil || configuration.residualScale != 1
      || run.concerns(point(.rawMLPOut)) || run.concerns(point(.mlpOut))
    guard isApart else { return try write(to: &stream, &kept, &scratch, &run) }
    var out = Tensor(zeros: [0])
    swap(&out, &scratch.out)
    defer { swap(&out, &scratch.out) }
    out.become(zeros: streamShape)
    try write(to: &out, &kept, &scratch, &run)
    guard run.reaches(point(.mlpCodesInput)) else { return }
    try chooseMLPCodes(&out, &kept, &run)
    guard run.reaches(point(.rawMLPOut)) else { return }
    try run.visit(point(.rawMLPOut), &out)
    if let norm = weights.mlpPostNorm {
      if kept.isKept { kept.rawMLPOut.assign(out) }
      let raw = out
      normalize(raw, norm, into: &out)
    }
    if configuration.residualScale != 1 { out.scale(by: configuration.residualScale) }
    try run.visit(point(.mlpOut), &out)
    stream.add(out)
  }

  /// Adds the output of the MLP, or of the experts, to `target`.
  private func write(
    to target: inout Tensor, _ kept: inout BlockActivations, _ scratch: inout BlockScratch,
    _ run: inout some BlockRun
  ) throws {
    if let mlp = weights.mlp {
      try writeMLP(mlp, to: &target, &kept, &scratch, &run)
    } else if let experts = weights.experts {
      let x = kept.purpose == .parameters ? kept.mlpInput : scratch.normalized
      try writeExperts(experts, x, to: &target, &kept, &run)
    }
  }

  /// Adds W_out·hidden + b_out to `target`.
  private func writeMLP(
    _ mlp: MLPWeights, to target: inout Tensor, _ kept: inout BlockActivations, _ scratch: inout BlockScratch,
    _ run: inout some BlockRun
  ) throws {
    let seesHidden =
      kept.isKept || !run.reaches(point(.mlpCodesInput)) || run.concerns(point(.mlpPre))
      || run.concerns(point(.mlpPost))
    guard seesHidden else { return try writeMLPInParts(mlp, to: &target, &scratch) }
    let x = kept.purpose == .parameters ? kept.mlpInput : scratch.normalized
    let shape = [layout.rowCount, mlp.hiddenWidth]
    kept.pre.become(uninitialized: shape)
    try mlp.preactivation(x, into: &kept.pre)
    try run.visit(point(.mlpPre), &kept.pre)
    guard run.reaches(point(.mlpPost)) else { return }
    if mlp.gate != nil {
      kept.up.become(uninitialized: shape)
      try mlp.input.apply(to: x, into: &kept.up)
    }
    scratch.hidden.assign(kept.pre)
    try mlp.activate(&scratch.hidden, of: x, up: kept.up, configuration.activation)
    try run.visit(point(.mlpPost), &scratch.hidden)
    guard run.reaches(point(.mlpCodesInput)) else { return }
    if let bias = mlp.output.bias { target.addToRows(bias) }
    try mlp.output.accumulate(scratch.hidden, into: &target)
    if kept.purpose == .parameters { swap(&scratch.hidden, &kept.post) }
  }

  /// The same, some rows at a time so that the hidden layer stays in cache; all rows at once where each pass over them
  /// widens the weights anew.
  private func writeMLPInParts(
    _ mlp: MLPWeights, to target: inout Tensor, _ scratch: inout BlockScratch
  ) throws {
    let x = scratch.normalized
    if let bias = mlp.output.bias { target.addToRows(bias) }
    let rowCount = layout.rowCount
    let limit = mlp.output.weight.isResident ? max(512, (4 << 20) / mlp.hiddenWidth) : rowCount
    let parts = max(1, (rowCount + limit - 1) / max(limit, 1))
    // Parts differ by a row at most, so one buffer serves them all.
    scratch.hidden.become(uninitialized: [(rowCount + parts - 1) / parts, mlp.hiddenWidth])
    for part in 0..<parts {
      let rows = rowCount * part / parts..<rowCount * (part + 1) / parts
      scratch.hidden.become(uninitialized: [rows.count, mlp.hiddenWidth])
      try mlp.preactivation(x.rows(rows), into: &scratch.hidden)
      try mlp.activate(&scratch.hidden, of: x.rows(rows), configuration.activation)
      try mlp.output.accumulate(scratch.hidden, into: &target, fromRow: rows.lowerBound)
    }
  }
}
