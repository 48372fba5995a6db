// A product with weights and bias, forward and backward, on the first rows of buffers that are used again and again.

import Tensors

/// y = x·W + b (plus what was in y where `accumulating`) for the first `rows` rows.
func linear(
  _ x: Tensor, rows: Int, parameters: Tensor, at place: LinearWindows, into y: inout Tensor,
  accumulating: Bool = false
) {
  let weight = place.weight
  matrixProduct(
    x, MatrixWindow(rows: rows, columns: weight.rows), parameters, weight,
    into: &y, MatrixWindow(rows: rows, columns: weight.columns), accumulating: accumulating)
  if let bias = place.bias { y.addToRows(bias, of: parameters, rows: rows) }
}

/// The backward half of `linear`: dx = dy·Wᵀ (added where `accumulating`), and dW += xᵀ·dy, db += Σ dy in `gradient`.
func linearBackward(
  _ x: Tensor, rows: Int, parameters: Tensor, at place: LinearWindows, dy: Tensor,
  into dx: inout Tensor, accumulating: Bool = false, gradient: inout Tensor
) {
  let weight = place.weight
  let input = MatrixWindow(rows: rows, columns: weight.rows)
  let output = MatrixWindow(rows: rows, columns: weight.columns)
  matrixProduct(x, input.transpose, dy, output, into: &gradient, weight, accumulating: true)
  if let bias = place.bias { gradient.addRowSums(of: dy, rows: rows, to: bias) }
  matrixProduct(dy, output, parameters, weight.transpose, into: &dx, input, accumulating: accumulating)
}
