// One run of a model over one batch, layer by layer.

import Tensors

/// The state of a run: tokens packed into rows, without padding.
struct ForwardPass {
  let model: Transformer
  let batch: TokenBatch
  let layout: SequenceLayout
  private let edits: [HookPoint: Edit]
  private let reading: Set<HookPoint>
  private let observer: (HookPoint, borrowing Tensor) throws -> Void
  /// The order of the last hook point that anyone reads.
  private let lastOrder: Int

  var configuration: TransformerConfiguration { model.configuration }

  init(
    _ model: Transformer, _ batch: TokenBatch, reading: Set<HookPoint>, edits: [HookPoint: Edit],
    observer: @escaping (HookPoint, borrowing Tensor) throws -> Void
  ) {
    self.model = model
    self.batch = batch
    self.edits = edits
    self.reading = reading
    self.observer = observer
    layout = SequenceLayout(lengths: batch.lengths)
    lastOrder = reading.map(\.order).max() ?? -1
  }

  /// Whether anything at or after `point` is read.
  private func reaches(_ point: HookPoint) -> Bool { lastOrder >= point.order }

  /// Whether `point` is read or edited.
  private func concerns(_ point: HookPoint) -> Bool { reading.contains(point) || edits[point] != nil }

  /// Runs until the last value that is read.
  mutating func run() throws {
    guard lastOrder >= 0 else { return }
    var residual = try embed()
    for layer in 0..<configuration.layers where reaches(.residPre(layer: layer)) {
      try visit(.residPre(layer: layer), &residual)
      try runBlock(layer, &residual)
      if reaches(.residPost(layer: layer)) { try visit(.residPost(layer: layer), &residual) }
    }
    guard reaches(.finalNorm) else { return }
    if let norm = model.weights.finalNorm, let kind = configuration.normalization {
      var normalized = Tensor(uninitialized: residual.shape)
      norm.apply(to: residual, kind, into: &normalized)
      residual = normalized
      try visit(.finalNorm, &residual)
    }
    guard reaches(.logits) else { return }
    var logits = try model.weights.output(residual)
    if let cap = configuration.logitCap { logits.softCap(cap) }
    try visit(.logits, &logits)
  }

  /// Tokens and positions `[rows, d_model]`.
  private func embed() throws -> Tensor {
    let tokens = batch.lengths.indices.flatMap { prompt in
      batch.ids[prompt * batch.width..<prompt * batch.width + batch.lengths[prompt]]
    }
    var residual = try model.weights.embed(tokens: tokens, scale: configuration.embeddingScale)
    try visit(.embedding, &residual)
    if let table = model.weights.positionEmbedding, reaches(.positionEmbedding) {
      var positions = table.gatherRows(layout.positions)
      try visit(.positionEmbedding, &positions)
      residual.add(positions)
    }
    return residual
  }

  private func runBlock(_ layer: Int, _ residual: inout Tensor) throws {
    guard reaches(.queries(layer: layer)) else { return }
    let block = model.weights.blocks[layer]
    if configuration.residual == .parallel {
      var addend = try attention(layer, block, residual)
      guard reaches(.mlpPre(layer: layer)) else { return }
      if block.mlp != nil { addend.add(try feedForward(layer, block, residual)) }
      residual.add(addend)
      return
    }
    residual.add(try attention(layer, block, residual))
    guard block.mlp != nil, reaches(.residMid(layer: layer)) else { return }
    try visit(.residMid(layer: layer), &residual)
    guard reaches(.mlpPre(layer: layer)) else { return }
    residual.add(try feedForward(layer, block, residual))
  }

  /// What attention adds to the residual stream `[rows, d_model]`; partly computed where the rest is not read.
  private func attention(_ layer: Int, _ block: BlockWeights, _ residual: Tensor) throws -> Tensor {
    let z = try mixedValues(layer, block, residual)
    var out = Tensor(zeros: residual.shape)
    guard reaches(.result(layer: layer)) else { return out }
    let output = block.attention.output
    if concerns(.result(layer: layer)) {
      var results = try block.attention.headResults(z, heads: configuration.heads)
      try visit(.result(layer: layer), &results)
      out = sumOverHeads(results)
      if let bias = output.bias { out.addToRows(bias) }
    } else {
      try output.apply(to: z, into: &out)
    }
    try visit(.block(layer: layer, .rawAttentionOut), &out)
    if let norm = block.attentionPostNorm { out = normalized(out, norm) }
    try visit(.attentionOut(layer: layer), &out)
    return out
  }

  /// Every head's mix of values `[rows, heads · d_head]`.
  private func mixedValues(_ layer: Int, _ block: BlockWeights, _ residual: Tensor) throws -> Tensor {
    let attention = block.attention
    let rule = configuration.attention[layer].rule
    var input = Tensor(uninitialized: [layout.rowCount, AttentionWeights.inputWidth(configuration)])
    try attention.project(normalized(residual, block.attentionNorm), into: &input)
    let columns = attention.columns(configuration)
    try visit(.queries(layer: layer), &input, columns.queries)
    try visit(.keys(layer: layer), &input, columns.keys)
    try visit(.values(layer: layer), &input, columns.values)
    model.placeHeads(&input, layer, layout.positions)

    let qkv = AttentionInput(input, queries: columns.queries, keys: columns.keys, values: columns.values)
    var z: Tensor
    if concerns(.scores(layer: layer)) || concerns(.pattern(layer: layer)) {
      var scores = attentionScores(qkv, rule, layout)
      try visitPadded(.scores(layer: layer), &scores)
      attentionPattern(&scores)
      try visitPadded(.pattern(layer: layer), &scores)
      guard reaches(.z(layer: layer)) else { return Tensor(zeros: [0]) }
      z = attentionMix(pattern: scores, qkv, layout)
    } else {
      guard reaches(.z(layer: layer)) else { return Tensor(zeros: [0]) }
      z = attentionMix(qkv, rule, layout)
    }
    try visit(
      .z(layer: layer), &z, HeadColumns(filling: configuration.heads, width: configuration.dHead))
    return z
  }

  /// What the MLP adds to the residual stream `[rows, d_model]`.
  private func feedForward(_ layer: Int, _ block: BlockWeights, _ residual: Tensor) throws -> Tensor {
    var out = Tensor(zeros: residual.shape)
    guard let mlp = block.mlp else { return out }
    let x = normalized(residual, block.mlpNorm)
    var hidden = Tensor(uninitialized: [layout.rowCount, mlp.hiddenWidth])
    try mlp.preactivation(x, into: &hidden)
    try visit(.mlpPre(layer: layer), &hidden)
    guard reaches(.mlpPost(layer: layer)) else { return out }
    try mlp.activate(&hidden, of: x, configuration.activation)
    try visit(.mlpPost(layer: layer), &hidden)
    guard reaches(.block(layer: layer, .rawMLPOut)) else { return out }
    try mlp.output.apply(to: hidden, into: &out)
    try visit(.block(layer: layer, .rawMLPOut), &out)
    if let norm = block.mlpPostNorm { out = normalized(out, norm) }
    try visit(.mlpOut(layer: layer), &out)
    return out
  }

  private func normalized(_ x: Tensor, _ norm: NormWeights?) -> Tensor {
    guard let norm, let kind = configuration.normalization else { return x }
    var out = Tensor(uninitialized: x.shape)
    norm.apply(to: x, kind, into: &out)
    return out
  }
}

extension ForwardPass {
  /// Edits and hands over a value given as packed rows `[rows, …]`.
  private func visit(_ point: HookPoint, _ rows: inout Tensor) throws {
    guard concerns(point) else { return }
    let shape = rows.shape
    var padded = batch.padded(rows)
    if let edit = edits[point] {
      edit.apply(to: &padded, of: batch)
      rows = batch.packed(padded).reshaped(shape)
      padded = batch.padded(rows)
    }
    if reading.contains(point) { try observer(point, padded) }
  }

  /// Edits and hands over some heads' columns of packed rows.
  private func visit(_ point: HookPoint, _ rows: inout Tensor, _ columns: HeadColumns) throws {
    guard concerns(point) else { return }
    var heads = gatherHeads(rows, columns)
    try visit(point, &heads)
    if edits[point] != nil { scatterHeads(heads, into: &rows, columns) }
  }

  /// Edits and hands over a value that is padded already.
  private func visitPadded(_ point: HookPoint, _ value: inout Tensor) throws {
    edits[point]?.apply(to: &value, of: batch)
    if reading.contains(point) { try observer(point, value) }
  }
}

extension Transformer {
  /// Normalises queries and keys where the model does, and turns them by their positions.
  func placeHeads(_ input: inout Tensor, _ layer: Int, _ positions: [Int32]) {
    let attention = weights.blocks[layer].attention
    let columns = attention.columns(configuration)
    if let kind = configuration.normalization {
      if let gain = attention.queryNorm { normalizeHeads(&input, columns.queries, kind, gain: gain) }
      if let gain = attention.keyNorm { normalizeHeads(&input, columns.keys, kind, gain: gain) }
    }
    if let rotary = configuration.attention[layer].rotary, let table = rotaryTables[rotary] {
      rotateHeads(&input, columns.queries, positions: positions, table)
      rotateHeads(&input, columns.keys, positions: positions, table)
    }
  }
}
