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
    try batch.check(configuration)
    var pass = HeadOutputPass(self, batch, pooling)
    swap(&pass.result, &outputs)
    try pass.run()
    swap(&pass.result, &outputs)
    return pass.codes
  }
}

/// One run that keeps head outputs alone: common beginnings once, and nothing after the last layer's z.
private struct HeadOutputPass: BlockRun {
  let model: Transformer
  let batch: TokenBatch
  let layout: SequenceLayout
  let tokens: [Int32]
  let pooling: HeadPooling
  /// The rows that each prompt's output is the mean of.
  let pooledRows: [[Int32]]
  /// The map after z of the layer that is computed.
  private var output: Linear
  /// The answer, in whatever memory stands here when the pass begins.
  var result = Tensor(zeros: [0])
  /// The heads' codes at the same places.
  private(set) var codes: Tensor?

  init(_ model: Transformer, _ batch: TokenBatch, _ pooling: HeadPooling) {
    precondition(batch.continuations.allSatisfy(\.isEmpty), "a recording of prompts with continuations")
    self.model = model
    self.batch = batch
    self.pooling = pooling
    output = model.weights.output
    let isCausal = model.configuration.attention.allSatisfy { $0.rule.isCausal }
    let prompts: [Int]
    let limits = model.configuration.attention.compactMap { $0.rotary?.lengthOfSameAngles }
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

  mutating func run() throws {
    let (configuration, weights) = (model.configuration, model.weights)
    prepareResult()
    var plain = PlainRun()
    var stream = try model.firstStream(tokens: tokens, positions: layout.positions, &plain)
    _ = model.normalizeFirst(&stream)
    var (kept, scratch) = (BlockActivations(for: .none), BlockScratch())
    for layer in 0..<configuration.layers {
      if layer + 1 < configuration.layers { weights.blocks[layer + 1].prefetch() }
      var block = Block(model, layer, layout)
      // W_O serves twice, head by head and whole.
      output = try block.weights.attention.output.resident()
      block.weights.attention.output = output
      try block.forward(&stream, keeping: &kept, &scratch, &self)
    }
  }

  func reaches(_ point: HookPoint) -> Bool {
    point.order <= HookPoint.z(layer: model.configuration.layers - 1).order
  }
  func concerns(_ point: HookPoint) -> Bool { false }
  mutating func visit(_ point: HookPoint, _ rows: inout Tensor) throws {
    if case .block(let layer, .headCodes) = point { keepCodes(rows, layer) }
  }
  mutating func visitPadded(_ point: HookPoint, _ value: inout Tensor) throws {}

  mutating func visit(_ point: HookPoint, _ rows: inout Tensor, _ columns: HeadColumns) throws {
    if case .block(let layer, .z) = point { try keepOutputs(rows, layer, output) }
  }

  /// Gives the answer its shape, and zeros where not all of it will be written.
  private mutating func prepareResult() {
    let configuration = model.configuration
    let positions = pooling == .each ? [batch.width] : []
    result.become(
      uninitialized: [batch.count] + positions + [
        configuration.layers, configuration.heads, configuration.dModel,
      ])
    if pooling == .each, batch.lengths.contains(where: { $0 != batch.width }) { result.setToZero() }
    if let shape = configuration.codebookShape(.heads), !isMean {
      let places = [batch.count] + positions + [configuration.layers, configuration.heads, shape.active]
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
          at: (place * model.configuration.layers + layer) * width)
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
}
