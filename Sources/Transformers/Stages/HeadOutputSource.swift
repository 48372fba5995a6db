// What a recording is made from: a model in this process, or one whose layers are held by several.

import Tensors

/// Prompts of one batch, with the positions that their head outputs are wanted at.
public struct HeadOutputBatch: Sendable {
  /// The prompts.
  public var batch: TokenBatch
  /// Which positions of them an output stands for.
  public var pooling: HeadPooling

  /// Prompts and positions.
  public init(batch: TokenBatch, pooling: HeadPooling) {
    self.batch = batch
    self.pooling = pooling
  }
}

/// A model that gives the outputs of all its heads.
public protocol HeadOutputSource: Sendable {
  /// What the model is made of.
  var configuration: TransformerConfiguration { get }

  /// Sorts prompts into batches that run well together.
  func headOutputBatches(of prompts: [[Int]], pooling: HeadPooling) -> [TokenBatch.Group]

  /// Hands over the outputs of all heads, and the codes of their codebooks, batch by batch in their order.
  ///
  /// - Parameter body: gets a batch's place in the list and what `Transformer.headOutputs(of:pooling:into:)` gives for it;
  ///   what it throws ends the work.
  /// - Throws: `TransformerError` for prompts that the model cannot run, and what `body` throws.
  func forEachHeadOutputs(
    of batches: [HeadOutputBatch], _ body: (_ index: Int, _ outputs: Tensor, _ codes: Tensor?) throws -> Void
  ) throws
}

extension Transformer: HeadOutputSource {
  /// Runs batch after batch, in the memory of one answer.
  /// - Throws: `TransformerError` for prompts that the model cannot run, and what `body` throws.
  public func forEachHeadOutputs(
    of batches: [HeadOutputBatch], _ body: (_ index: Int, _ outputs: Tensor, _ codes: Tensor?) throws -> Void
  ) throws {
    var outputs = Tensor(zeros: [0])
    for (index, item) in batches.enumerated() {
      let codes = try headOutputs(of: item.batch, pooling: item.pooling, into: &outputs)
      try body(index, outputs, codes)
    }
  }
}
