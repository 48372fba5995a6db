// Normalising the residual stream before a module reads it.

import Tensors

extension NormWeights {
  /// The rows of `x` normalised into `out`, of the same shape.
  public func apply(to x: Tensor, _ kind: RowNormalization, into out: inout Tensor) {
    normalizeRows(x, kind, gain: gain, bias: bias, into: &out)
  }
}
