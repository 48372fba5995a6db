// Normalising the residual stream before a module reads it, or what a module adds to it.

import Tensors

extension NormWeights {
  /// The rows of `x` normalised into `out`, of the same shape.
  public func apply(to x: Tensor, _ kind: RowNormalization, into out: inout Tensor) {
    normalizeRows(x, kind, gain: gain, bias: bias, into: &out)
  }

  /// Adds to `dx` the gradient of `x`, where `dy` is that of its normalised rows.
  ///
  /// `dy` and `dx` may have several rows, one after the other, for each row of `x`.
  public func adjoint(
    _ x: Tensor, _ kind: RowNormalization, dy: Tensor, addingTo dx: inout Tensor, rule: SlopeRule = .exact
  ) {
    normalizeRowsAdjoint(x, kind, gain: gain, dy: dy, addingTo: &dx, rule: rule)
  }
}
