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
  public var widensWeights: Bool { TransformerStage(self).widensWeights }

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
    var outputs = Tensor(zeros: [0])
    try headOutputs(of: batch, pooling: pooling, into: &outputs)
    return outputs
  }

  /// As `headOutputs(of:pooling:)`, in the memory of a tensor whose own values are not needed any more.
  /// - Returns: the numbers of the codes that heads' codebooks chose, `[prompt, layer, head, active]`; with `.each`
  ///   `[prompt, position, layer, head, active]`, −1 past each prompt's end; nil for a model without them, and for means.
  @discardableResult
  public func headOutputs(
    of batch: TokenBatch, pooling: HeadPooling, into outputs: inout Tensor
  ) throws -> Tensor? {
    try TransformerStage(self).headOutputs(of: batch, pooling: pooling, from: nil, into: &outputs).codes
  }
}

extension TransformerStage {
  /// Whether weights are stored in 16 bits and widened from their file each time a batch passes through a layer.
  var widensWeights: Bool { !(blocks.first?.attention.output.weight.isResident ?? true) }

  /// The outputs of the stage's own heads on every prompt, and the stream for the stage behind it.
  ///
  /// The stages of a model, each given what the one before handed on, give the same bits as all layers at once.
  ///
  /// - Parameters:
  ///   - stream: what the stage before handed on; nil for the first, which begins with the prompts' tokens.
  ///   - outputs: becomes `[prompt, layer, head, d_model]` of the stage's layers; with `.each`
  ///     `[prompt, position, layer, head, d_model]`, zeros past each prompt's end.
  /// - Throws: `TransformerError` for prompts that the model cannot run; `CheckpointError` for parameters that are not
  ///   finite.
  /// - Precondition: the first stage gets no stream, any other that of the same batch and pooling; positions of `.at` lie
  ///   within their prompts.
  public func headOutputs(
    of batch: TokenBatch, pooling: HeadPooling, from stream: Tensor?, into outputs: inout Tensor
  ) throws -> HandedOn {
    try batch.check(configuration)
    var pass = HeadOutputPass(self, batch, pooling)
    swap(&pass.result, &outputs)
    let last = try pass.run(from: stream)
    swap(&pass.result, &outputs)
    return HandedOn(stream: isLast ? nil : last, codes: pass.codes)
  }
}

/// One run that keeps head outputs alone: common beginnings once, and nothing after the model's last z.
private struct HeadOutputPass: BlockRun {
  let stage: TransformerStage
  let batch: TokenBatch
  let layout: SequenceLayout
  let tokens: [Int32]
  let pooling: HeadPooling
  /// The rows that each prompt's output is the mean of.
  let pooledRows: [[Int32]]
  /// The map after z of the layer that is computed.
  private var output: Linear?
  /// The answer, in whatever memory stands here when the pass begins.
  var result = Tensor(zeros: [0])
  /// The heads' codes at the same places.
  private(set) var codes: Tensor?

  init(_ stage: TransformerStage, _ batch: TokenBatch, _ pooling: HeadPooling) {
    precondition(batch.continuations.allSatisfy(\.isEmpty), "a recording of prompts with continuations")
    self.stage = stage
    self.batch = batch
    self.pooling = pooling
    let isCausal = stage.configuration.attention.allSatisfy { $0.rule.isCausal }
    let prompts: [Int]
    let limits = stage.configuration.attention.compactMap { $0.rotary?.lengthOfSameAngles }
    // Beginnings are alike only in prompts of like angles.
    let sharesAngles = limits.allSatisfy { limit in
      batch.lengths.allSatisfy { $0 <= limit } || batch.lengths.allSatisfy { $0 > limit }
    }
    if isCausal, sharesAngles, pooling != .each {
      (layout, prompts) = SequenceLayout.sharingPrefixes(batch)
    } else {
      layout = SequenceLayout(lengths: batch.lengths)
      prompts = Array(0..<batch.count)
    }
    let sequenceRows = Self.rowsByPrompt(layout, prompts)
    tokens = Self.tokens(of: batch, sequenceRows, rowCount: layout.rowCount)
    pooledRows = Self.pooled(sequenceRows, pooling)
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

  /// Runs the stage's layers; gives the stream behind the last of them.
  mutating func run(from start: Tensor?) throws -> Tensor {
    prepareResult()
    var stream = try start ?? firstStream()
    precondition(
      stream.shape == [layout.rowCount, stage.configuration.dModel],
      "a stream of shape \(stream.shape) for \(layout.rowCount) rows")
    var (kept, scratch) = (BlockActivations(for: .none), BlockScratch())
    for (place, layer) in stage.layers.enumerated() {
      if place + 1 < stage.blocks.count { stage.blocks[place + 1].prefetch() }
      var block = Block(stage.configuration, stage.blocks[place], stage.rotaryTables, layer, layout)
      // W_O serves twice, head by head and whole.
      let resident = try block.weights.attention.output.resident()
      output = resident
      block.weights.attention.output = resident
      try block.forward(&stream, keeping: &kept, &scratch, &self)
    }
    return stream
  }

  private func firstStream() throws -> Tensor {
    guard let embedding = stage.embedding else {
      preconditionFailure("layers \(stage.layers) go on from a stream")
    }
    var plain = PlainRun()
    var stream = try embedding.firstStream(
      tokens: tokens, positions: layout.positions, stage.configuration, &plain)
    _ = embedding.normalizeFirst(&stream, stage.configuration)
    return stream
  }

  func reaches(_ point: HookPoint) -> Bool {
    !stage.isLast || point.order <= HookPoint.z(layer: stage.configuration.layers - 1).order
  }
  func concerns(_ point: HookPoint) -> Bool { false }
  mutating func visit(_ point: HookPoint, _ rows: inout Tensor) throws {
    if case .block(let layer, .headCodes) = point { keepCodes(rows, layer) }
  }
  mutating func visitPadded(_ point: HookPoint, _ value: inout Tensor) throws {}

  mutating func visit(_ point: HookPoint, _ rows: inout Tensor, _ columns: HeadColumns) throws {
    if case .block(let layer, .z) = point, let output { try keepOutputs(rows, layer, output) }
  }

  /// Gives the answer its shape, and zeros where not all of it will be written.
  private mutating func prepareResult() {
    let configuration = stage.configuration
    let positions = pooling == .each ? [batch.width] : []
    result.become(
      uninitialized: [batch.count] + positions + [
        stage.layers.count, configuration.heads, configuration.dModel,
      ])
    if pooling == .each, batch.lengths.contains(where: { $0 != batch.width }) { result.setToZero() }
    if let shape = configuration.codebookShape(.heads), !isMean {
      let places = [batch.count] + positions + [stage.layers.count, configuration.heads, shape.active]
      codes = Tensor([Float](repeating: -1, count: places.reduce(1, *)), shape: places)
    }
  }

  private var isMean: Bool {
    if case .mean = pooling { true } else { false }
  }

  /// Writes the codes `[rows, heads, active]` of one layer into their places.
  private mutating func keepCodes(_ rows: Tensor, _ layer: Int) {
    guard codes != nil else { return }
    let width = rows.count / max(1, layout.rowCount)
    for (prompt, places) in pooledRows.enumerated() {
      for (position, row) in places.enumerated() {
        let place = pooling == .each ? prompt * batch.width + position : prompt
        codes?.write(
          rows.reshaped([layout.rowCount, width]).row(Int(row)),
          at: (place * stage.layers.count + layer - stage.layers.lowerBound) * width)
      }
    }
  }

  /// Writes every head's output of one layer into the answer.
  private mutating func keepOutputs(_ z: Tensor, _ layer: Int, _ output: Linear) throws {
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
    let configuration = stage.configuration
    let (heads, dHead, dModel) = (configuration.heads, configuration.dHead, configuration.dModel)
    let placeWidth = stage.layers.count * heads * dModel
    let place = layer - stage.layers.lowerBound
    let rowCount = mixes.count / (heads * dHead)
    let weight = try output.weight.tensor()
    for head in 0..<heads {
      matrixProduct(
        mixes, MatrixWindow(offset: head * dHead, rows: rowCount, columns: dHead, rowStride: heads * dHead),
        weight, output.window(inputs: head * dHead..<(head + 1) * dHead), into: &result,
        MatrixWindow(
          offset: firstPlace * placeWidth + (place * heads + head) * dModel, rows: rowCount,
          columns: dModel, rowStride: placeWidth))
    }
  }
}
