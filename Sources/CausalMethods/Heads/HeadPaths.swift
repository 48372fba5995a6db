// Heads on the line from what they write to what stands in for it, with the gradient along that line: what any attribution
// of heads' outputs is a product of.

import Tensors
import Transformers

/// One layer's heads on some prompts of one length.
public struct HeadPath: Sendable {
  /// The layer.
  public let layer: Int
  /// Heads' mixed values z `[prompt · position, head · d_head]`.
  public let clean: Tensor
  /// What stands in for them, in the same shape.
  public let replacement: Tensor
  /// ∂metric/∂(the sum of the layer's z·W_O) `[prompt · position, d_model]`: the mean on the line from `clean` to
  /// `replacement`, by Gauss–Legendre points, all heads of the layer moved together and every other layer as it follows.
  public let gradient: Tensor
}

/// How heads' paths are walked.
public struct HeadPathOptions: Sendable, Equatable {
  /// What stands in for heads.
  public var replacement = SourceReplacement.pair
  /// Points of the integrated gradient; 1 takes the gradient half-way, 0 the gradient of the unchanged run.
  public var steps = 3
  /// About how many tokens run at once.
  public var tokenLimit = 448
  /// Seed of resampled replacements.
  public var seed: UInt64 = 0

  /// The usual options.
  public init() {}
}

extension Transformer {
  /// Goes through all layers' heads on a task's prompts, some prompts at a time.
  ///
  /// Costs a run over the prompts and one over what replaces them, and for each layer and step a run from that layer up
  /// and back.
  /// - Parameters:
  ///   - body: gets the prompts' indices and one layer's heads; layers come in order for each set of prompts.
  ///   - progress: called with the number of layers walked and their total.
  /// - Returns: the metric of each prompt.
  /// - Throws: `CausalError` for a task that cannot be run, `TransformerError` for prompts the model cannot read.
  public func walkHeadPaths(
    _ task: CausalTask, _ options: HeadPathOptions, progress: (Int, Int) -> Void = { _, _ in },
    _ body: ([Int], HeadPath) throws -> Void
  ) throws -> [Double] {
    try task.requireAnswers()
    let layers = configuration.layers
    let points = Set((0..<layers).map { HookPoint.z(layer: $0) })
    var donors = try HeadReplacements(self, task, options.replacement, seed: options.seed)
    var metric = [Double](repeating: 0, count: task.clean.count)
    let batches = task.batches(tokenLimit: options.tokenLimit)
    for (done, indices) in batches.enumerated() {
      let batch = task.cleanBatch(indices)
      let replaced = try donors.values(of: indices)
      let study = try HeadPathStudy(self, batch, try task.logitMetric(indices, model: self), points)
      for layer in 0..<layers {
        try body(indices, try study.path(layer: layer, to: replaced[layer], options))
        progress(done * layers + layer + 1, batches.count * layers)
      }
      for (index, value) in zip(indices, try study.metricValues()) { metric[index] = value }
    }
    return metric
  }
}

/// What stands in for heads' mixed values z.
public struct HeadReplacements {
  private var source: ReplacementSource
  private let layers: Int
  private let width: Int

  /// Stand-ins of a task's clean prompts.
  /// - Parameter seed: of resampled prompts.
  /// - Throws: `CausalError` where prompts lack what the replacement is taken from.
  public init(_ model: Transformer, _ task: CausalTask, _ replacement: SourceReplacement, seed: UInt64)
    throws
  {
    let layers = model.configuration.layers
    let width = model.configuration.heads * model.configuration.dHead
    let points = Set((0..<layers).map { HookPoint.z(layer: $0) })
    (self.layers, self.width) = (layers, width)
    source = try ReplacementSource(task, replacement, seed: seed, items: layers, width: width) { batch in
      var values = Tensor(uninitialized: [layers, batch.count * batch.width * width])
      try model.run(batch, observing: points) { point, value in
        values.write(value, at: (point.layer ?? 0) * batch.count * batch.width * width)
      }
      return values
    }
  }

  /// The stand-ins of some prompts of one length: for each layer `[prompt · position, head · d_head]`.
  /// - Throws: `TransformerError` for prompts the model cannot read.
  public mutating func values(of prompts: [Int]) throws -> [Tensor] {
    let found = try source.values(prompts)
    return (0..<layers).map { layer in
      let row = found.row(layer)
      return row.reshaped([row.count / width, width])
    }
  }
}

/// Prompts of one length whose heads are moved, a layer at a time.
private struct HeadPathStudy {
  let model: Transformer
  let batch: TokenBatch
  let metric: any LogitMetric
  /// `[layer]`: z, as `[prompt, position, head, d_head]`.
  private var mixed: [Tensor] = []
  /// `resid_pre` of every layer, and the stream behind the last.
  private var streams: [Tensor] = []

  init(
    _ model: Transformer, _ batch: TokenBatch, _ metric: any LogitMetric, _ points: Set<HookPoint>
  ) throws {
    self.model = model
    self.batch = batch
    self.metric = metric
    let layers = model.configuration.layers
    var reads = points.union((0..<layers).map { .residPre(layer: $0) })
    reads.insert(.residPost(layer: layers - 1))
    var (mixed, streams): ([Tensor], [Tensor]) = ([], [])
    try model.run(batch, observing: reads) { point, value in
      if case .block(_, .z) = point { mixed.append(value) } else { streams.append(value) }
    }
    (self.mixed, self.streams) = (mixed, streams)
  }

  func metricValues() throws -> [Double] {
    let layers = model.configuration.layers
    return try model.values(of: metric, batch, from: StreamStart(layer: layers, stream: streams[layers]))
  }

  func path(layer: Int, to replacement: Tensor, _ options: HeadPathOptions) throws -> HeadPath {
    let clean = mixed[layer]
    var change = replacement
    change.add(clean.reshaped(replacement.shape), times: -1)
    let rule = options.steps == 0 ? nil : GaussLegendre(count: options.steps)
    let shares = rule?.points.map { Float($0) } ?? [0]
    let weights = rule?.weights.map { Float($0) } ?? [1]
    let atOnce = max(1, options.tokenLimit / max(1, batch.count * batch.width))
    let size = batch.count * batch.width * model.configuration.dModel
    var sum = Tensor(zeros: [batch.count * batch.width, model.configuration.dModel])
    let point = HookPoint.block(layer: layer, .rawAttentionOut)
    for first in stride(from: 0, to: shares.count, by: atOnce) {
      let part = Array(shares[first..<min(first + atOnce, shares.count)])
      var moved = Tensor(uninitialized: [part.count * batch.count] + clean.shape.dropFirst())
      for (copy, share) in part.enumerated() {
        var value = clean
        value.add(change.reshaped(clean.shape), times: share)
        moved.write(value, at: copy * clean.count)
      }
      let run = try model.gradients(
        of: metric.selecting(part.flatMap { _ in 0..<batch.count }), batch.repeated(part.count), at: [point],
        applying: [.z(layer: layer): .replacing(with: moved)],
        from: StreamStart(layer: layer, stream: repeated(streams[layer], part.count)))
      let gradients = run.gradients[point].reshaped([part.count, size])
      for copy in part.indices {
        sum.add(gradients.row(copy).reshaped(sum.shape), times: weights[first + copy])
      }
    }
    return HeadPath(
      layer: layer, clean: clean.reshaped(replacement.shape), replacement: replacement, gradient: sum)
  }

  private func repeated(_ value: Tensor, _ count: Int) -> Tensor {
    guard count > 1 else { return value }
    var result = Tensor(uninitialized: [count * value.shape[0]] + value.shape.dropFirst())
    for copy in 0..<count { result.write(value, at: copy * value.count) }
    return result
  }
}
