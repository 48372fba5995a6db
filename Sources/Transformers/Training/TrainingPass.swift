// A whole transformer in training: tokens to logits, the loss, and every parameter's gradient.
//
// All buffers are kept from one batch to the next. A pass runs on one thread; training splits a batch over passes.

import Tensors

/// The forward and backward pass of one architecture, with the memory they need.
public struct TrainingPass: Sendable {
  /// Where parameters lie.
  public let layout: ParameterLayout
  private var capacity = 0
  private var patternCapacity = 0
  /// The residual stream before each block, and after the last.
  private var streams: [Tensor] = []
  private var blocks: [BlockActivations] = []
  private var normed = Tensor(zeros: [0])
  private var statistics = LayerNormStatistics(rows: 0)
  private var logits = Tensor(zeros: [0])
  private var streamGradient = Tensor(zeros: [0])
  private var scratch: BlockScratch

  /// A pass without memory yet; it grows with the largest batch.
  public init(_ layout: ParameterLayout) {
    self.layout = layout
    scratch = BlockScratch(layout.architecture, rows: 0)
  }

  /// The logits of every row: `[rows, vocabulary]`.
  public mutating func logits(_ batch: PackedBatch, parameters: Tensor) -> Tensor {
    forward(batch, parameters: parameters)
    let vocabulary = layout.architecture.vocabulary
    var result = Tensor(zeros: [batch.rows, vocabulary])
    result.copy(logits, count: result.count)
    return result
  }

  /// What the targets of a batch are worth under the parameters; nothing is learned.
  public mutating func evaluate(_ batch: PackedBatch, parameters: Tensor) -> [PredictionOutcome] {
    forward(batch, parameters: parameters)
    return crossEntropyBackward(
      &logits, rows: batch.rows, width: layout.architecture.vocabulary, targets: batch.targets)
  }

  /// Adds the gradient of Σ weight · loss over a batch's targets to `gradient`.
  /// - Returns: one outcome a target.
  public mutating func addGradient(
    of batch: PackedBatch, parameters: Tensor, to gradient: inout Tensor
  ) -> [PredictionOutcome] {
    precondition(gradient.count == layout.count, "a gradient of shape \(gradient.shape)")
    let outcomes = evaluate(batch, parameters: parameters)
    unembedBackward(batch, parameters: parameters, gradient: &gradient)
    for layer in layout.blocks.indices.reversed() {
      block(layer, batch).backward(
        streams[layer], blocks[layer], parameters: parameters, stream: &streamGradient, scratch: &scratch,
        gradient: &gradient)
    }
    gradient.scatterRows(of: streamGradient, to: batch.tokens, layout.embedding)
    if let positions = layout.positions {
      gradient.scatterRows(of: streamGradient, to: batch.positions, positions)
    }
    return outcomes
  }

  private func block(_ layer: Int, _ batch: PackedBatch) -> TrainedBlock {
    TrainedBlock(
      architecture: layout.architecture, windows: layout.blocks[layer], sequences: batch.sequences,
      rows: batch.rows)
  }

  private mutating func forward(_ batch: PackedBatch, parameters: Tensor) {
    precondition(parameters.count == layout.count, "parameters of shape \(parameters.shape)")
    reserve(for: batch)
    let architecture = layout.architecture
    streams[0].gatherRows(batch.tokens, of: parameters, layout.embedding)
    if let positions = layout.positions {
      streams[0].gatherRows(batch.positions, of: parameters, positions, adding: true)
    }
    for layer in layout.blocks.indices {
      block(layer, batch).forward(
        streams[layer], parameters: parameters, into: &streams[layer + 1], keeping: &blocks[layer])
    }
    let last = streams[architecture.layers]
    if let norm = layout.finalNorm, let epsilon = architecture.normEpsilon {
      layerNorm(
        last, rows: batch.rows, parameters: parameters, at: norm, epsilon: epsilon, into: &normed,
        keeping: &statistics)
    }
    matrixProduct(
      layout.finalNorm == nil ? last : normed,
      MatrixWindow(rows: batch.rows, columns: architecture.modelWidth), parameters, layout.unembeddingInUse,
      into: &logits, MatrixWindow(rows: batch.rows, columns: architecture.vocabulary))
    if let bias = layout.unembeddingBias { logits.addToRows(bias, of: parameters, rows: batch.rows) }
  }

  /// From the gradient of the logits to that of the last residual stream.
  private mutating func unembedBackward(
    _ batch: PackedBatch, parameters: Tensor, gradient: inout Tensor
  ) {
    let architecture = layout.architecture
    let rows = batch.rows
    let last = streams[architecture.layers]
    let slopes = MatrixWindow(rows: rows, columns: architecture.vocabulary)
    let stream = MatrixWindow(rows: rows, columns: architecture.modelWidth)
    let input = layout.finalNorm == nil ? last : normed
    if let unembedding = layout.unembedding {
      matrixProduct(
        input, stream.transpose, logits, slopes, into: &gradient, unembedding, accumulating: true)
    } else {
      matrixProduct(
        logits, slopes.transpose, input, stream, into: &gradient, layout.embedding, accumulating: true)
    }
    if let bias = layout.unembeddingBias { gradient.addRowSums(of: logits, rows: rows, to: bias) }
    let back = layout.unembeddingInUse.transpose
    guard let norm = layout.finalNorm else {
      matrixProduct(logits, slopes, parameters, back, into: &streamGradient, stream)
      return
    }
    matrixProduct(logits, slopes, parameters, back, into: &scratch.second, stream)
    streamGradient.setToZero(first: rows * architecture.modelWidth)
    layerNormBackward(
      last, rows: rows, parameters: parameters, at: norm, statistics: statistics, dy: scratch.second,
      into: &streamGradient, gradient: &gradient)
  }

  private mutating func reserve(for batch: PackedBatch) {
    let architecture = layout.architecture
    let patternCount = batch.sequences.reduce(0) { $0 + architecture.heads * $1.count * $1.count }
    guard batch.rows > capacity || patternCount > patternCapacity else { return }
    capacity = max(batch.rows, capacity)
    patternCapacity = max(patternCount, patternCapacity)
    let width = architecture.modelWidth
    streams = (0...architecture.layers).map { _ in Tensor(zeros: [capacity, width]) }
    blocks = (0..<architecture.layers).map { _ in
      BlockActivations(architecture, rows: capacity, patternCount: patternCapacity)
    }
    normed = Tensor(zeros: [capacity, width])
    statistics = LayerNormStatistics(rows: capacity)
    logits = Tensor(zeros: [capacity, architecture.vocabulary])
    streamGradient = Tensor(zeros: [capacity, width])
    scratch = BlockScratch(architecture, rows: capacity)
  }
}
