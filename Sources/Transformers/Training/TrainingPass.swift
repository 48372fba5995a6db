// A batch in training: up to the logits of the targets, the loss, and back to every parameter's gradient.
//
// All buffers are kept from one batch to the next. A pass runs on one thread; training splits a batch over passes.

import Checkpoints
import Tensors

/// The way up and back of one model in training, with the memory they need.
public struct TrainingPass: Sendable {
  /// Where parameters lie.
  public internal(set) var layout: ParameterLayout
  private(set) var tape: GradientTape

  /// A pass without memory yet; it grows with the largest batch.
  public init(_ layout: ParameterLayout) {
    self.layout = layout
    tape = GradientTape(layers: layout.model.configuration.layers, for: .parameters)
  }

  /// What the targets of a batch are worth under the parameters; nothing is learned and nothing kept.
  /// - Throws: `CheckpointError` where a weight cannot be read.
  public static func evaluate(_ batch: PackedBatch, _ model: Transformer) throws -> [PredictionOutcome] {
    var tape = GradientTape(layers: model.configuration.layers, for: .none)
    var logits = try Self.logits(batch, model, &tape)
    return crossEntropyBackward(
      &logits, rows: logits.shape[0], width: model.configuration.vocabulary, targets: batch.numberedTargets)
  }

  /// Adds the gradient of Σ weight · loss over a batch's targets to `gradient`.
  /// - Returns: one outcome a target.
  /// - Throws: `CheckpointError` where a weight cannot be read.
  public mutating func addGradient(
    of batch: PackedBatch, parameters: Tensor, to gradient: inout ParameterGradient
  ) throws -> [PredictionOutcome] {
    let model = layout.transformer(parameters)
    let configuration = model.configuration
    var run = PlainRun()
    var slopes = try Self.logits(batch, model, &tape)
    // A cap's way back needs the logits as they were.
    let outcomes = crossEntropyBackward(
      &slopes, rows: slopes.shape[0], width: configuration.vocabulary, targets: batch.numberedTargets)
    var sums: ParameterGradient? = gradient
    gradient.values = Tensor(zeros: [0])
    defer { if let sums { gradient = sums } }
    let last = try Unembedding(model).adjoint(&slopes, tape.end, rule: .exact, parameters: &sums, &run)
    var stream = Tensor(zeros: [batch.rows, configuration.dModel])
    stream.scatterRows(last, to: batch.targets.map { Int32($0.row) })
    try model.descend(
      &stream, batch.layout, &tape, rule: .exact, release: false, parameters: &sums, &run)
    sums?.addEmbedding(
      stream, tokens: batch.tokens, positions: batch.layout.positions, scale: configuration.embeddingScale)
    return outcomes
  }

  /// The logits of the targets' rows.
  private static func logits(
    _ batch: PackedBatch, _ model: Transformer, _ tape: inout GradientTape
  ) throws -> Tensor {
    var run = PlainRun()
    var stream = try model.firstStream(
      tokens: batch.tokens, positions: batch.layout.positions, &run)
    try model.ascend(&stream, batch.layout, &tape, &run)
    try Unembedding(model).forward(
      stream.gatherRows(batch.targets.map { Int32($0.row) }), keeping: &tape.end, &run)
    return tape.end.logits
  }
}

extension PackedBatch {
  /// The targets, counted: the row of each is its place among them.
  fileprivate var numberedTargets: [PredictionTarget] {
    targets.enumerated().map { place, target in
      PredictionTarget(row: place, tokens: target.tokens, weight: target.weight)
    }
  }
}
