// A model whose layers are held by several processes. Batches flow through them: while one stage works on a batch, the one
// before it works on the next. Every stage sends its heads' outputs to the first, which puts them together.

import Tensors

/// The first stage of a pipeline, which leads the others.
public struct StagePipeline<Link: StageLink>: HeadOutputSource {
  /// The first layers.
  public let stage: TransformerStage
  private let link: Link

  /// What the whole model is made of.
  public var configuration: TransformerConfiguration { stage.configuration }

  /// - Parameters:
  ///   - stage: the first layers, as `cuts` has them.
  ///   - cuts: the layers of each process.
  public init(_ stage: TransformerStage, _ cuts: [Range<Int>], over link: Link) {
    precondition(
      link.rank == 0 && cuts.count == link.size && cuts.first == stage.layers,
      "stage \(stage.layers) of \(cuts) leads \(link.size) processes")
    self.stage = stage
    self.link = link
  }

  /// The batches of the whole model.
  public func headOutputBatches(of prompts: [[Int]], pooling: HeadPooling) -> [TokenBatch.Group] {
    stage.headOutputBatches(of: prompts, pooling: pooling)
  }

  /// Runs batches, as many at a time as there are stages.
  ///
  /// Memory: the first stage's own outputs of as many batches, and all outputs of one.
  /// - Throws: `TransformerError` for prompts that the model cannot run, and what `body` throws.
  public func forEachHeadOutputs(
    of batches: [HeadOutputBatch], _ body: (_ index: Int, _ outputs: Tensor, _ codes: Tensor?) throws -> Void
  ) throws {
    var waiting: [(index: Int, part: Part)] = []
    var (outputs, codes) = (Tensor(zeros: [0]), Tensor(zeros: [0]))
    func finishFirst() throws {
      let (index, own) = waiting.removeFirst()
      let parts = [own] + (1..<link.size).map(part)
      join(parts.map(\.outputs), own.places, into: &outputs)
      let all = parts.compactMap(\.codes)
      if !all.isEmpty { join(all, own.places, into: &codes) }
      let shape = own.shape(layers: configuration.layers)
      try body(
        index, outputs.reshaped(shape + [configuration.dModel]),
        all.isEmpty ? nil : codes.reshaped(shape + [codes.count / max(1, shape.reduce(1, *))]))
    }
    for (index, item) in batches.enumerated() {
      var own = Tensor(zeros: [0])
      let handed = try stage.headOutputs(of: item.batch, pooling: item.pooling, from: nil, into: &own)
      if let stream = handed.stream { link.send(item.message(stream: stream), to: 1) }
      waiting.append((index, Part(outputs: own, codes: handed.codes)))
      if waiting.count >= link.size { try finishFirst() }
    }
    while !waiting.isEmpty { try finishFirst() }
  }

  /// Tells the other stages that no batch is left.
  public func finish() {
    if link.size > 1 { link.send(StageMessage(numbers: []), to: 1) }
  }

  /// What the next message of another stage says.
  private func part(from rank: Int) -> Part {
    let message = link.receive(from: rank)
    return Part(
      outputs: message.values, codes: message.numbers.first == 1 ? link.receive(from: rank).values : nil)
  }

  /// What one stage's heads gave for a batch.
  private struct Part {
    var outputs: Tensor
    var codes: Tensor?

    /// Prompts, or prompts and positions.
    var places: Int { outputs.shape.dropLast(3).reduce(1, *) }

    /// The shape of all layers' outputs or codes, without the last axis.
    func shape(layers: Int) -> [Int] {
      outputs.shape.dropLast(3) + [layers] + outputs.shape.dropLast().suffix(1)
    }
  }

  /// Puts the parts' layers side by side at every place; `target` becomes flat.
  private func join(_ parts: [Tensor], _ places: Int, into target: inout Tensor) {
    target.become(uninitialized: [parts.map(\.count).reduce(0, +)])
    let widths = parts.map { $0.count / max(1, places) }
    let rows = zip(parts, widths).map { $0.reshaped([places, $1]) }
    var offset = 0
    for place in 0..<places {
      for (part, width) in zip(rows, widths) {
        target.write(part.row(place), at: offset)
        offset += width
      }
    }
  }
}

extension TransformerStage {
  /// Works on what the process before hands on, as one of a pipeline behind its first, until no batch is left.
  /// - Throws: `TransformerError` or `CheckpointError`, after which the others wait in vain.
  public func work(over link: some StageLink) throws {
    var outputs = Tensor(zeros: [0])
    while true {
      let message = link.receive(from: link.rank - 1)
      guard !message.numbers.isEmpty else { break }
      let item = HeadOutputBatch(message)
      let stream = message.values.reshaped(
        [message.values.count / configuration.dModel, configuration.dModel])
      let handed = try headOutputs(of: item.batch, pooling: item.pooling, from: stream, into: &outputs)
      if let stream = handed.stream { link.send(item.message(stream: stream), to: link.rank + 1) }
      link.send(StageMessage(numbers: [handed.codes == nil ? 0 : 1], values: outputs), to: 0)
      if let codes = handed.codes { link.send(StageMessage(numbers: [], values: codes), to: 0) }
    }
    if link.rank + 1 < link.size { link.send(StageMessage(numbers: []), to: link.rank + 1) }
  }
}
