// The outputs of all heads, and nothing else: what a recording is made of.
//
// Positions are averaged or picked before W_O, which is d_model / d_head times less work than after it; nothing is
// computed after the last layer's attention; common beginnings of prompts are computed once.

import Tensors

/// Which positions of a prompt an output stands for.
public enum HeadPooling: Sendable, Equatable {
  /// The mean over all positions, the first left out where it is a BOS token that should not count.
  case mean(excludingFirst: Bool)
  /// The last position.
  case last
  /// One position for each prompt of the batch.
  case at([Int])
  /// All positions, each for itself.
  case each
}

extension Transformer {
  /// Whether weights are stored in 16 bits and widened from their file each time a batch passes through a layer.
  public var widensWeights: Bool {
    !(weights.blocks.first?.attention.output.weight.isResident ?? true)
  }

  /// The output of every head (`result`: z·W_O without bias) on every prompt.
  ///
  /// Values equal `run(reading:)` of `.result` to rounding. Memory: the answer, plus about
  /// `tokens · (4 · d_model + qkv)` floats.
  ///
  /// - Returns: `[prompt, layer, head, d_model]`; with `.each` `[prompt, position, layer, head, d_model]`, zeros past
  ///   each prompt's end.
  /// - Throws: `TransformerError` for prompts that the model cannot run.
  /// - Precondition: positions of `.at` lie within their prompts.
  public func headOutputs(of batch: TokenBatch, pooling: HeadPooling) throws -> Tensor {
    try batch.check(configuration)
    var pass = HeadOutputPass(self, batch, pooling)
    return try pass.run()
  }
}

/// One run that keeps head outputs alone.
private struct HeadOutputPass {
  let model: Transformer
  let batch: TokenBatch
  let layout: SequenceLayout
  let tokens: [Int32]
  let pooling: HeadPooling
  /// The rows that each prompt's output is the mean of.
  let pooledRows: [[Int32]]
  var residual = Tensor(zeros: [0])
  var normalized: Tensor
  var input: Tensor
  var z: Tensor
  /// Memory for the MLP's hidden layer, by shape.
  var hiddenLayers: [[Int]: Tensor] = [:]
  var result: Tensor

  init(_ model: Transformer, _ batch: TokenBatch, _ pooling: HeadPooling) {
    self.model = model
    self.batch = batch
    self.pooling = pooling
    let configuration = model.configuration
    let isCausal = configuration.attention.allSatisfy { $0.rule.isCausal }
    let prompts: [Int]
    if isCausal, pooling != .each {
      (layout, prompts) = SequenceLayout.sharingPrefixes(batch)
    } else {
      layout = SequenceLayout(lengths: batch.lengths)
      prompts = Array(0..<batch.count)
    }
    let sequenceRows = Self.rowsByPrompt(layout, prompts)
    tokens = Self.tokens(of: batch, sequenceRows, rowCount: layout.rowCount)
    pooledRows = Self.pooled(sequenceRows, pooling)
    normalized = Tensor(uninitialized: [layout.rowCount, configuration.dModel])
    input = Tensor(uninitialized: [layout.rowCount, AttentionWeights.inputWidth(configuration)])
    z = Tensor(uninitialized: [layout.rowCount, configuration.heads * configuration.dHead])
    let positions = pooling == .each ? [batch.width] : []
    let shape =
      [batch.count] + positions + [configuration.layers, configuration.heads, configuration.dModel]
    let isWhole = pooling != .each || batch.lengths.allSatisfy { $0 == batch.width }
    result = isWhole ? Tensor(uninitialized: shape) : Tensor(zeros: shape)
  }

  private static func rowsByPrompt(_ layout: SequenceLayout, _ prompts: [Int]) -> [[Int32]] {
    var rows = [[Int32]](repeating: [], count: prompts.count)
    for (sequence, prompt) in zip(layout.sequences, prompts) { rows[prompt] = sequence.rows }
    return rows
  }

  private static func tokens(of batch: TokenBatch, _ rows: [[Int32]], rowCount: Int) -> [Int32] {
    var tokens = [Int32](repeating: 0, count: rowCount)
    for (prompt, rows) in rows.enumerated() {
      for (position, row) in rows.enumerated() {
        tokens[Int(row)] = batch.ids[prompt * batch.width + position]
      }
    }
    return tokens
  }

  private static func pooled(_ rows: [[Int32]], _ pooling: HeadPooling) -> [[Int32]] {
    switch pooling {
    case .mean(let excludingFirst):
      return rows.map { $0.count > 1 && excludingFirst ? Array($0.dropFirst()) : $0 }
    case .last: return rows.map { $0.suffix(1) }
    case .at(let positions):
      precondition(positions.count == rows.count, "\(positions.count) positions for \(rows.count) prompts")
      return zip(rows, positions).map { rows, position in
        precondition(rows.indices.contains(position), "position \(position) of \(rows.count) tokens")
        return [rows[position]]
      }
    case .each: return rows
    }
  }

  mutating func run() throws -> Tensor {
    let (configuration, weights) = (model.configuration, model.weights)
    residual = try weights.embed(tokens: tokens, scale: configuration.embeddingScale)
    if let table = weights.positionEmbedding { residual.add(table.gatherRows(layout.positions)) }
    for layer in 0..<configuration.layers {
      let block = weights.blocks[layer]
      if layer + 1 < configuration.layers { weights.blocks[layer + 1].prefetch() }
      // W_O serves twice, head by head and whole.
      let output = try block.attention.output.resident()
      try attend(layer, block, output)
      guard layer < configuration.layers - 1 else { break }
      if configuration.residual == .parallel {
        // The MLP reads the stream that attention read.
        let x = normalize(residual, block.mlpNorm)
        try addAttention(block, output)
        try feedForward(block, x)
      } else {
        try addAttention(block, output)
        try feedForward(block, normalize(residual, block.mlpNorm))
      }
    }
    return result
  }

  /// Computes z and keeps its outputs.
  private mutating func attend(_ layer: Int, _ block: BlockWeights, _ output: Linear) throws {
    let (configuration, attention) = (model.configuration, block.attention)
    try attention.project(normalize(residual, block.attentionNorm), into: &input)
    model.placeHeads(&input, layer, layout.positions)
    let columns = attention.columns(configuration)
    attentionMix(
      AttentionInput(input, queries: columns.queries, keys: columns.keys, values: columns.values),
      configuration.attention[layer].rule, layout, into: &z)
    try keepOutputs(layer, output)
  }

  /// Writes every head's output of one layer into the answer.
  private mutating func keepOutputs(_ layer: Int, _ output: Linear) throws {
    if pooling == .each, batch.lengths.contains(where: { $0 != batch.width }) {
      for (prompt, rows) in pooledRows.enumerated() {
        guard let first = rows.first else { continue }
        let part = z.rows(Int(first)..<Int(first) + rows.count)
        try project(part, output, layer, firstPlace: prompt * batch.width)
      }
    } else {
      try project(pooling == .each ? z : averageRows(of: z, pooledRows), output, layer, firstPlace: 0)
    }
  }

  /// Multiplies each head's part of `mixes` `[rows, heads · d_head]` by its rows of W_O, into the answer's places from
  /// `firstPlace` on.
  private mutating func project(
    _ mixes: Tensor, _ output: Linear, _ layer: Int, firstPlace: Int
  ) throws {
    let configuration = model.configuration
    let (heads, dHead, dModel) = (configuration.heads, configuration.dHead, configuration.dModel)
    let placeWidth = configuration.layers * heads * dModel
    let rowCount = mixes.count / (heads * dHead)
    let weight = try output.weight.tensor()
    for head in 0..<heads {
      matrixProduct(
        mixes, MatrixWindow(offset: head * dHead, rows: rowCount, columns: dHead, rowStride: heads * dHead),
        weight, output.window(inputs: head * dHead..<(head + 1) * dHead), into: &result,
        MatrixWindow(
          offset: firstPlace * placeWidth + (layer * heads + head) * dModel, rows: rowCount,
          columns: dModel, rowStride: placeWidth))
    }
  }

  private mutating func addAttention(_ block: BlockWeights, _ output: Linear) throws {
    if let norm = block.attentionPostNorm {
      residual.add(normalize(try output(z), norm))
    } else {
      if let bias = output.bias { residual.addToRows(bias) }
      try output.accumulate(z, into: &residual)
    }
  }

  /// Adds the MLP's output to the stream, some rows at a time so that the hidden layer stays in cache; all rows at once
  /// where each pass over them widens the weights anew.
  private mutating func feedForward(_ block: BlockWeights, _ x: Tensor) throws {
    guard let mlp = block.mlp else { return }
    var out: Tensor
    if block.mlpPostNorm == nil {
      // The stream itself is summed into, in place.
      out = residual
      residual = Tensor(zeros: [0])
    } else {
      out = Tensor(zeros: residual.shape)
    }
    if let bias = mlp.output.bias { out.addToRows(bias) }
    let limit = model.widensWeights ? layout.rowCount : max(512, (4 << 20) / mlp.hiddenWidth)
    let parts = max(1, (layout.rowCount + limit - 1) / limit)
    for part in 0..<parts {
      let rows = layout.rowCount * part / parts..<layout.rowCount * (part + 1) / parts
      // Parts differ by a row at most, so two buffers serve them all.
      let shape = [rows.count, mlp.hiddenWidth]
      var hidden = hiddenLayers.removeValue(forKey: shape) ?? Tensor(uninitialized: shape)
      try mlp.preactivation(x.rows(rows), into: &hidden)
      try mlp.activate(&hidden, of: x.rows(rows), model.configuration.activation)
      try mlp.output.accumulate(hidden, into: &out, fromRow: rows.lowerBound)
      hiddenLayers[shape] = hidden
    }
    if let norm = block.mlpPostNorm {
      residual.add(normalize(out, norm))
    } else {
      residual = out
    }
  }

  /// `x` normalised, in a buffer that the next call uses again.
  private mutating func normalize(_ x: Tensor, _ norm: NormWeights?) -> Tensor {
    guard let norm, let kind = model.configuration.normalization else { return x }
    norm.apply(to: x, kind, into: &normalized)
    return normalized
  }
}
