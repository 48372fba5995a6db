// The way back through one layer: from the gradient of the stream after it to that of the stream before it.

import Tensors

extension Block {
  /// Turns the gradient of the stream behind the layer into that of the stream before it; as far back as `run` reaches.
  ///
  /// - Parameters:
  ///   - gradient: `[rows, d_model]`.
  ///   - kept: what `forward` kept.
  ///   - rule: how gradients pass nonlinear parts.
  ///   - parameters: where gradients of parameters are added; nil where none are wanted.
  func adjoint(
    _ gradient: inout Tensor, _ kept: BlockActivations, _ scratch: inout AdjointScratch, rule: SlopeRule,
    parameters: inout ParameterGradient?, _ run: inout some BlockRun
  ) throws {
    let way = BlockWay(block: self, kept: kept, slopeRule: rule)
    way.throughStreamNorm(
      weights.streamNormAfterMLP, kept.streamAfterMLP, &gradient, gain: .streamNormAfterMLPGain,
      bias: .streamNormAfterMLPBias, &parameters)
    try run.visit(point(.residPost), &gradient)
    guard run.reaches(point(.mlpOut)) else { return }
    if configuration.residual == .parallel {
      // Both modules read the stream before the layer and add to the one behind it.
      let upstream = gradient
      if weights.hasMLP {
        try way.throughMLP(upstream, addingTo: &gradient, &scratch, &parameters, &run)
      }
      guard run.reaches(point(.attentionOut)) else { return }
      try way.throughAttention(upstream, addingTo: &gradient, &scratch, &parameters, &run)
    } else {
      if weights.hasMLP {
        scratch.upstream.assign(gradient)
        let upstream = scratch.upstream
        try way.throughMLP(upstream, addingTo: &gradient, &scratch, &parameters, &run)
        guard run.reaches(point(.residMid)) else { return }
        way.throughStreamNorm(
          weights.streamNormAfterAttention, kept.streamAfterAttention, &gradient,
          gain: .streamNormAfterAttentionGain, bias: .streamNormAfterAttentionBias, &parameters)
        try run.visit(point(.residMid), &gradient)
      }
      guard run.reaches(point(.attentionOut)) else { return }
      scratch.upstream.assign(gradient)
      let upstream = scratch.upstream
      try way.throughAttention(upstream, addingTo: &gradient, &scratch, &parameters, &run)
    }
    guard run.reaches(point(.residPre)) else { return }
    try run.visit(point(.residPre), &gradient)
  }
}

/// One way back through a block.
struct BlockWay {
  let block: Block
  let kept: BlockActivations
  let slopeRule: SlopeRule

  var configuration: TransformerConfiguration { block.configuration }
  var weights: BlockWeights { block.weights }
  var layout: SequenceLayout { block.layout }
  func point(_ place: BlockPoint) -> HookPoint { block.point(place) }

  /// The gradient of a module's raw output, given that of what it added to the stream.
  private func behindNorm(
    _ upstream: Tensor, _ norm: NormWeights?, raw: Tensor, added: BlockPoint, output: BlockPoint,
    gain: BlockParameter, bias: BlockParameter, into result: inout Tensor,
    _ parameters: inout ParameterGradient?, _ run: inout some BlockRun
  ) throws {
    var gradient = upstream
    try run.visit(point(added), &gradient)
    if configuration.residualScale != 1 { gradient.scale(by: configuration.residualScale) }
    if let norm, let kind = configuration.normalization {
      result.become(zeros: block.streamShape)
      normalizeAdjoint(
        norm, kind, raw, dy: gradient, addingTo: &result, gain: gain, bias: bias, &parameters)
    } else {
      result = gradient
    }
    try run.visit(point(output), &result)
  }

  /// Turns the gradient of a stream that was itself normalised into that of the stream before, where it was.
  func throughStreamNorm(
    _ norm: NormWeights?, _ raw: Tensor, _ gradient: inout Tensor, gain: BlockParameter, bias: BlockParameter,
    _ parameters: inout ParameterGradient?
  ) {
    guard let norm, let kind = configuration.normalization else { return }
    let upstream = gradient
    gradient = Tensor(zeros: upstream.shape)
    normalizeAdjoint(norm, kind, raw, dy: upstream, addingTo: &gradient, gain: gain, bias: bias, &parameters)
  }

  private func normalizeAdjoint(
    _ norm: NormWeights, _ kind: RowNormalization, _ x: Tensor, dy: Tensor, addingTo dx: inout Tensor,
    gain: BlockParameter, bias: BlockParameter, _ parameters: inout ParameterGradient?
  ) {
    if parameters == nil {
      norm.adjoint(x, kind, dy: dy, addingTo: &dx, rule: slopeRule)
    } else {
      parameters?.normalizeAdjoint(
        norm, gain: .block(block.layer, gain), bias: .block(block.layer, bias), x, kind, dy: dy,
        addingTo: &dx)
    }
  }

  /// Adds to `target` what reaches the stream through a norm in front of a module (or straight, without one).
  private func throughNorm(
    _ norm: NormWeights?, _ x: Tensor, dy: Tensor, addingTo target: inout Tensor, gain: BlockParameter,
    bias: BlockParameter, _ parameters: inout ParameterGradient?
  ) {
    guard let norm, let kind = configuration.normalization else { return target.add(dy) }
    normalizeAdjoint(norm, kind, x, dy: dy, addingTo: &target, gain: gain, bias: bias, &parameters)
  }
}

// The MLP.
extension BlockWay {
  func throughMLP(
    _ upstream: Tensor, addingTo stream: inout Tensor, _ scratch: inout AdjointScratch,
    _ parameters: inout ParameterGradient?, _ run: inout some BlockRun
  ) throws {
    let layer = block.layer
    try behindNorm(
      upstream, weights.mlpPostNorm, raw: kept.rawMLPOut, added: .mlpOut, output: .rawMLPOut,
      gain: .mlpPostNormGain, bias: .mlpPostNormBias, into: &scratch.raw, &parameters, &run)
    try throughMLPCodes(&scratch.raw, &parameters, &run)
    guard let mlp = weights.mlp else {
      if let experts = weights.experts { try throughExperts(experts, &scratch, &run) }
      return try throughMLPNorm(addingTo: &stream, &scratch, &parameters, &run)
    }
    parameters?.add(
      mlp.output, .block(layer, .outWeight), bias: .block(layer, .outBias), x: kept.post, dy: scratch.raw)
    scratch.hidden.become(uninitialized: kept.pre.shape)
    try mlp.output.adjoint(scratch.raw, into: &scratch.hidden)
    try run.visit(point(.mlpPost), &scratch.hidden)
    mlp.activateAdjoint(
      &scratch.hidden, pre: kept.pre, up: kept.up, into: &scratch.up, configuration.activation,
      rule: slopeRule)
    try run.visit(point(.mlpPre), &scratch.hidden)
    parameters?.addPreactivation(
      mlp, layer: layer, x: kept.mlpInput, dPre: scratch.hidden, dUp: scratch.up)
    scratch.normalized.become(uninitialized: block.streamShape)
    try mlp.preactivationAdjoint(scratch.hidden, dUp: scratch.up, into: &scratch.normalized)
    try throughMLPNorm(addingTo: &stream, &scratch, &parameters, &run)
  }

  /// From the gradient of the rows that the MLP read, in `scratch.normalized`, to that of the stream.
  private func throughMLPNorm(
    addingTo stream: inout Tensor, _ scratch: inout AdjointScratch, _ parameters: inout ParameterGradient?,
    _ run: inout some BlockRun
  ) throws {
    let (gain, bias): (BlockParameter, BlockParameter) =
      weights.sharesNorm ? (.attentionNormGain, .attentionNormBias) : (.mlpNormGain, .mlpNormBias)
    guard run.concerns(point(.mlpInput)) else {
      return throughNorm(
        weights.normBeforeMLP, kept.middle, dy: scratch.normalized, addingTo: &stream, gain: gain, bias: bias,
        &parameters)
    }
    scratch.stream.become(zeros: block.streamShape)
    throughNorm(
      weights.normBeforeMLP, kept.middle, dy: scratch.normalized, addingTo: &scratch.stream, gain: gain,
      bias: bias, &parameters)
    try run.visit(point(.mlpInput), &scratch.stream)
    stream.add(scratch.stream)
  }
}

// Attention.
extension BlockWay {
  func throughAttention(
    _ upstream: Tensor, addingTo stream: inout Tensor, _ scratch: inout AdjointScratch,
    _ parameters: inout ParameterGradient?, _ run: inout some BlockRun
  ) throws {
    try behindNorm(
      upstream, weights.attentionPostNorm, raw: kept.rawAttentionOut, added: .attentionOut,
      output: .rawAttentionOut, gain: .attentionPostNormGain, bias: .attentionPostNormBias,
      into: &scratch.raw, &parameters, &run)
    guard run.reaches(point(.result)) else { return }
    let attention = weights.attention
    parameters?.add(
      attention.output, .block(block.layer, .outputWeight), bias: .block(block.layer, .outputBias),
      x: kept.z, dy: scratch.raw)
    scratch.z.become(uninitialized: kept.z.shape)
    if run.concerns(point(.result)) {
      // Every head's result is summed into the output, so each has the output's gradient.
      var results = repeatRows(scratch.raw, configuration.heads)
      try run.visit(point(.result), &results)
      try attention.headResultsAdjoint(results, heads: configuration.heads, into: &scratch.z)
    } else {
      try attention.output.adjoint(scratch.raw, into: &scratch.z)
    }
    try run.visit(
      point(.z), &scratch.z, HeadColumns(filling: configuration.heads, width: configuration.dHead))
    try throughHeadCodes(&scratch.z, &parameters, &run)
    guard run.reaches(point(.pattern)) else { return }
    try throughHeads(addingTo: &stream, &scratch, &parameters, &run)
  }

  /// From the gradient of z to that of the stream.
  private func throughHeads(
    addingTo stream: inout Tensor, _ scratch: inout AdjointScratch, _ parameters: inout ParameterGradient?,
    _ run: inout some BlockRun
  ) throws {
    let roles = AttentionRole.allCases
    let readsApart = !kept.headInputs.isEmpty || roles.contains { run.concerns(point($0.input)) }
    let heads = configuration.heads
    let columns =
      readsApart
      ? AttentionColumns(heads: heads, groups: heads, width: configuration.dHead) : kept.columns
    let input = kept.columns.input(kept.placed)
    let squares = AttentionSquares(layout, heads: heads)
    scratch.heads.become(uninitialized: [layout.rowCount, columns.queries.rowStride])
    attentionMixAdjoint(
      pattern: kept.pattern, input, layout, dz: scratch.z, into: &scratch.squares, values: &scratch.heads,
      columns.gradient)
    try run.visit(point(.pattern), &scratch.squares, squares, filling: 0)
    if weights.attention.sinks != nil, parameters != nil {
      parameters?.add(
        attentionSinkGradient(pattern: kept.pattern, scratch.squares, squares),
        to: .block(block.layer, .sinks))
    }
    attentionPatternAdjoint(pattern: kept.pattern, &scratch.squares, squares)
    try run.visit(point(.scores), &scratch.squares, squares, filling: 0)
    attentionScoresAdjoint(
      input, block.rule, layout, scores: block.rule.scoreCap == nil ? nil : kept.scores, &scratch.squares,
      queriesAndKeys: &scratch.heads, columns.gradient)
    block.placement.adjoint(
      &scratch.heads, columns, projected: kept.projected, kept.columns, rule: slopeRule,
      parameters: &parameters, layer: block.layer)
    try visitHeads(&scratch.heads, columns, &run)
    guard run.reaches(point(.valuesInput)) else { return }
    if readsApart {
      try throughHeadInputs(columns, addingTo: &stream, &scratch, &run)
    } else {
      parameters?.addProjections(
        weights.attention, layer: block.layer, x: kept.attentionInput, dy: scratch.heads)
      scratch.normalized.become(uninitialized: block.streamShape)
      try weights.attention.projectAdjoint(scratch.heads, into: &scratch.normalized)
      throughNorm(
        weights.attentionNorm, kept.stream, dy: scratch.normalized, addingTo: &stream,
        gain: .attentionNormGain, bias: .attentionNormBias, &parameters)
    }
  }

  /// Hands over the gradients of values, keys and queries; of keys and values as the way up had them.
  private func visitHeads(
    _ gradient: inout Tensor, _ columns: AttentionColumns, _ run: inout some BlockRun
  ) throws {
    for (place, role) in [(BlockPoint.values, AttentionRole.values), (.keys, .keys), (.queries, .queries)]
    where run.concerns(point(place)) {
      var heads = gatherHeads(gradient, columns[role])
      let groups = kept.columns[role].count
      let readers = columns[role].count / groups
      if readers > 1 {
        // The gradient of a group's vector is the sum over the query heads that use it.
        heads = sumOverHeads(heads.reshaped([layout.rowCount * groups, readers, configuration.dHead]))
          .reshaped([layout.rowCount, groups, configuration.dHead])
        try run.visit(point(place), &heads)
      } else {
        try run.visit(point(place), &heads)
        scatterHeads(heads, into: &gradient, columns[role])
      }
    }
  }

  /// From the gradients of queries, keys and values of every query head to those of the stream that each read.
  private func throughHeadInputs(
    _ columns: AttentionColumns, addingTo stream: inout Tensor, _ scratch: inout AdjointScratch,
    _ run: inout some BlockRun
  ) throws {
    let heads = configuration.heads
    for role in AttentionRole.allCases.reversed() {
      try weights.attention.projectHeadsAdjoint(
        role, scratch.heads, columns[role], into: &scratch.normalized, configuration)
      guard let norm = weights.attentionNorm, let kind = configuration.normalization else {
        try run.visit(point(role.input), &scratch.normalized)
        stream.add(sumOverHeads(scratch.normalized))
        continue
      }
      scratch.headInputs.become(zeros: [layout.rowCount, heads, configuration.dModel])
      norm.adjoint(
        kept.headInputs[role] ?? kept.stream, kind, dy: scratch.normalized, addingTo: &scratch.headInputs,
        rule: slopeRule)
      try run.visit(point(role.input), &scratch.headInputs)
      stream.add(sumOverHeads(scratch.headInputs))
    }
  }
}
