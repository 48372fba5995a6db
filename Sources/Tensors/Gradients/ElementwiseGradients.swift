// Gradients of elementwise functions and of softmax, in place on the gradient of their result.

import CKernels

extension Tensor {
  /// Multiplies the first `count` elements by the slope of ReLU at `x`.
  public mutating func multiplyByReLUSlope(at x: Tensor, count: Int) {
    multiplyBySlope(at: x, count: count, ck_relu_backward)
  }

  /// Multiplies the first `count` elements by the slope of x·Φ(x), exact GELU, at `x`.
  public mutating func multiplyByGELUSlope(at x: Tensor, count: Int) {
    multiplyBySlope(at: x, count: count, ck_gelu_backward)
  }

  /// Multiplies the first `count` elements by the slope of GELU's tanh form at `x`.
  public mutating func multiplyByGELUNewSlope(at x: Tensor, count: Int) {
    multiplyBySlope(at: x, count: count, ck_gelu_new_backward)
  }

  private mutating func multiplyBySlope(
    at x: Tensor, count: Int, _ kernel: (UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int) -> Void
  ) {
    precondition(count <= x.count && count <= self.count, "\(count) elements of \(x.shape) and \(shape)")
    let target = mutablePointer()
    withExtendedLifetime(x.storage) { kernel(x.pointer, target, count) }
  }

  /// Takes the gradient of a softmax's result, row by row, to that of its input: ds = p·(dp − Σ p·dp).
  ///
  /// Rows have `width` elements; of row `i` of a block of `width` rows only the first `i + 1` count where `causal`,
  /// and the others become 0.
  /// - Parameter probabilities: the softmax's result.
  public mutating func softmaxBackward(probabilities: Tensor, rows: Int, width: Int, causal: Bool) {
    precondition(
      rows * width <= count && rows * width <= probabilities.count,
      "\(rows) rows of \(width) in shapes \(shape) and \(probabilities.shape)")
    let target = mutablePointer()
    withExtendedLifetime(probabilities.storage) {
      for row in 0..<rows {
        let start = row * width
        let seen = causal ? min(width, row % width + 1) : width
        ck_softmax_row_backward(probabilities.pointer + start, target + start, seen)
        (target + start + seen).update(repeating: 0, count: width - seen)
      }
    }
  }
}
