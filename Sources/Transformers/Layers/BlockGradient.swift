// One block of a transformer in training: attention and MLP, forward with what backward needs kept, and backward.

import Tensors

/// What a block's forward half leaves for its backward half. `[rows, …]`, allocated once for the largest batch.
struct BlockActivations: Sendable {
  /// The normalised input of attention.
  var normed1: Tensor
  var statistics1: LayerNormStatistics
  /// Queries, keys and values: `[rows, 3 · heads · d_head]`.
  var joint: Tensor
  /// All sequences' and heads' attention weights.
  var pattern: Tensor
  /// `[rows, heads · d_head]`.
  var z: Tensor
  /// The residual stream between attention and MLP.
  var middle: Tensor
  var normed2: Tensor
  var statistics2: LayerNormStatistics
  /// The MLP's neurons before and after their activation.
  var pre: Tensor
  var post: Tensor

  init(_ architecture: TrainableArchitecture, rows: Int, patternCount: Int) {
    let width = architecture.modelWidth
    let normRows = architecture.normEpsilon == nil ? 0 : rows
    let mlpRows = architecture.mlp == nil ? 0 : rows
    normed1 = Tensor(zeros: [normRows, width])
    statistics1 = LayerNormStatistics(rows: normRows)
    joint = Tensor(zeros: [rows, 3 * architecture.headsWidth])
    pattern = Tensor(zeros: [patternCount])
    z = Tensor(zeros: [rows, architecture.headsWidth])
    middle = Tensor(zeros: [mlpRows, width])
    normed2 = Tensor(zeros: [min(normRows, mlpRows), width])
    statistics2 = LayerNormStatistics(rows: min(normRows, mlpRows))
    pre = Tensor(zeros: [mlpRows, architecture.mlp?.width ?? 0])
    post = Tensor(zeros: [mlpRows, architecture.mlp?.width ?? 0])
  }
}

/// Gradients on their way through a block, allocated once.
struct BlockScratch: Sendable {
  /// As wide as the widest of joint heads and neurons.
  var wide: Tensor
  /// As wide as the residual stream or all heads.
  var narrow: Tensor
  /// As `narrow`.
  var second: Tensor

  init(_ architecture: TrainableArchitecture, rows: Int) {
    wide = Tensor(zeros: [rows, max(3 * architecture.headsWidth, architecture.mlp?.width ?? 0)])
    narrow = Tensor(zeros: [rows, max(architecture.modelWidth, architecture.headsWidth)])
    second = narrow
  }
}

/// A block at work: its architecture, its place among parameters, and the sequences it sees.
struct TrainedBlock {
  let architecture: TrainableArchitecture
  let windows: BlockWindows
  let sequences: [Range<Int>]
  let rows: Int

  private var heads: JointHeads {
    JointHeads(
      count: architecture.heads, width: architecture.headWidth, scale: architecture.scoreScale,
      isCausal: architecture.isCausal)
  }

  private var epsilon: Float { architecture.normEpsilon ?? 0 }

  /// x + attention(norm(x)), then the same with the MLP, into `output`.
  func forward(
    _ input: Tensor, parameters: Tensor, into output: inout Tensor, keeping kept: inout BlockActivations
  ) {
    let streamCount = rows * architecture.modelWidth
    if let norm = windows.norm1 {
      layerNorm(
        input, rows: rows, parameters: parameters, at: norm, epsilon: epsilon, into: &kept.normed1,
        keeping: &kept.statistics1)
    }
    linear(
      windows.norm1 == nil ? input : kept.normed1, rows: rows, parameters: parameters,
      at: windows.queryKeyValue, into: &kept.joint)
    attention(kept.joint, heads, sequences: sequences, into: &kept.z, keeping: &kept.pattern)
    guard let mlp = architecture.mlp, let mlpIn = windows.mlpIn, let mlpOut = windows.mlpOut else {
      output.copy(input, count: streamCount)
      linear(
        kept.z, rows: rows, parameters: parameters, at: windows.output, into: &output, accumulating: true)
      return
    }
    kept.middle.copy(input, count: streamCount)
    linear(
      kept.z, rows: rows, parameters: parameters, at: windows.output, into: &kept.middle, accumulating: true)
    if let norm = windows.norm2 {
      layerNorm(
        kept.middle, rows: rows, parameters: parameters, at: norm, epsilon: epsilon, into: &kept.normed2,
        keeping: &kept.statistics2)
    }
    linear(
      windows.norm2 == nil ? kept.middle : kept.normed2, rows: rows, parameters: parameters, at: mlpIn,
      into: &kept.pre)
    kept.post.activate(mlp.activation, of: kept.pre, count: rows * mlp.width)
    output.copy(kept.middle, count: streamCount)
    linear(kept.post, rows: rows, parameters: parameters, at: mlpOut, into: &output, accumulating: true)
  }

  /// Turns the gradient of the block's output into that of its input, in place, and adds to `gradient`.
  func backward(
    _ input: Tensor, _ kept: BlockActivations, parameters: Tensor, stream: inout Tensor,
    scratch: inout BlockScratch, gradient: inout Tensor
  ) {
    mlpBackward(kept, parameters: parameters, stream: &stream, scratch: &scratch, gradient: &gradient)
    linearBackward(
      kept.z, rows: rows, parameters: parameters, at: windows.output, dy: stream, into: &scratch.narrow,
      gradient: &gradient)
    attentionBackward(
      kept.joint, heads, sequences: sequences, pattern: kept.pattern, dz: scratch.narrow, into: &scratch.wide)
    if let norm = windows.norm1 {
      linearBackward(
        kept.normed1, rows: rows, parameters: parameters, at: windows.queryKeyValue, dy: scratch.wide,
        into: &scratch.second, gradient: &gradient)
      layerNormBackward(
        input, rows: rows, parameters: parameters, at: norm, statistics: kept.statistics1,
        dy: scratch.second, into: &stream, gradient: &gradient)
    } else {
      linearBackward(
        input, rows: rows, parameters: parameters, at: windows.queryKeyValue, dy: scratch.wide,
        into: &stream, accumulating: true, gradient: &gradient)
    }
  }

  private func mlpBackward(
    _ kept: BlockActivations, parameters: Tensor, stream: inout Tensor, scratch: inout BlockScratch,
    gradient: inout Tensor
  ) {
    guard let mlp = architecture.mlp, let mlpIn = windows.mlpIn, let mlpOut = windows.mlpOut else { return }
    linearBackward(
      kept.post, rows: rows, parameters: parameters, at: mlpOut, dy: stream, into: &scratch.wide,
      gradient: &gradient)
    scratch.wide.multiplyBySlope(of: mlp.activation, at: kept.pre, count: rows * mlp.width)
    if let norm = windows.norm2 {
      linearBackward(
        kept.normed2, rows: rows, parameters: parameters, at: mlpIn, dy: scratch.wide,
        into: &scratch.second, gradient: &gradient)
      layerNormBackward(
        kept.middle, rows: rows, parameters: parameters, at: norm, statistics: kept.statistics2,
        dy: scratch.second, into: &stream, gradient: &gradient)
    } else {
      linearBackward(
        kept.middle, rows: rows, parameters: parameters, at: mlpIn, dy: scratch.wide, into: &stream,
        accumulating: true, gradient: &gradient)
    }
  }
}
