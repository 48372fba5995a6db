// Layer normalisation for training: forward with its statistics kept, and backward.

import CKernels

/// What the backward half of a layer norm needs of its forward half: one number a row each.
public struct LayerNormStatistics: Sendable {
  /// The mean of each row; shape `[rows]`.
  public var mean: Tensor
  /// One over the standard deviation of each row; shape `[rows]`.
  public var inverseDeviation: Tensor

  /// Room for the statistics of `rows` rows.
  public init(rows: Int) {
    mean = Tensor(zeros: [rows])
    inverseDeviation = Tensor(zeros: [rows])
  }
}

/// A layer norm's place among parameters: its scale and its shift.
public struct LayerNormWindows: Sendable, Equatable {
  /// The scale; as many elements as a row.
  public var weight: VectorWindow
  /// The shift.
  public var bias: VectorWindow

  /// A layer norm whose parameters lie at these places.
  public init(weight: VectorWindow, bias: VectorWindow) {
    self.weight = weight
    self.bias = bias
  }
}

/// Normalises the first `rows` rows of `x` to mean 0 and variance 1, then scales and shifts them, into `y`.
///
/// `x` and `y` hold rows of `norm.weight.count` elements; the rows' statistics go to `statistics`.
public func layerNorm(
  _ x: Tensor, rows: Int, parameters: Tensor, at norm: LayerNormWindows, epsilon: Float,
  into y: inout Tensor, keeping statistics: inout LayerNormStatistics
) {
  let width = norm.weight.count
  norm.weight.check(in: parameters)
  norm.bias.check(in: parameters)
  precondition(
    x.count >= rows * width && y.count >= rows * width && statistics.mean.count >= rows
      && norm.bias.count == width, "layer norm of \(rows) rows of \(width) in shape \(x.shape)")
  let target = y.mutablePointer()
  let (mean, inverse) = (statistics.mean.mutablePointer(), statistics.inverseDeviation.mutablePointer())
  withExtendedLifetime((x.storage, parameters.storage)) {
    ck_layer_norm_keeping(
      x.pointer, parameters.pointer + norm.weight.offset, parameters.pointer + norm.bias.offset, target, mean,
      inverse, rows, width, epsilon)
  }
}

/// The backward half of `layerNorm`: adds to `dx`, and to the norm's places in `gradient`.
///
/// `x` is the forward half's input, `dy` the gradient of its result.
public func layerNormBackward(
  _ x: Tensor, rows: Int, parameters: Tensor, at norm: LayerNormWindows, statistics: LayerNormStatistics,
  dy: Tensor, into dx: inout Tensor, gradient: inout Tensor
) {
  let width = norm.weight.count
  norm.weight.check(in: parameters)
  norm.weight.check(in: gradient)
  norm.bias.check(in: gradient)
  precondition(
    x.count >= rows * width && dy.count >= rows * width && dx.count >= rows * width
      && statistics.mean.count >= rows && norm.bias.count == width,
    "layer norm's gradient of \(rows) rows of \(width) in shape \(x.shape)")
  let (down, sums) = (dx.mutablePointer(), gradient.mutablePointer())
  withExtendedLifetime((x.storage, parameters.storage, statistics, dy.storage)) {
    ck_layer_norm_backward(
      x.pointer, parameters.pointer + norm.weight.offset, statistics.mean.pointer,
      statistics.inverseDeviation.pointer, dy.pointer, down, sums + norm.weight.offset,
      sums + norm.bias.offset, rows, width)
  }
}
