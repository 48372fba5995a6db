// Activations on a part of a tensor, and their slopes on the gradient of their result.

import CKernels

extension Tensor {
  /// Applies an activation to the first `count` elements of `x` and writes the results here.
  public mutating func activate(_ activation: Activation, of x: Tensor, count: Int) {
    copy(x, count: count)
    let target = mutablePointer()
    switch activation {
    case .relu: ck_relu(target, count)
    case .gelu: ck_gelu(target, count)
    case .geluTanh: ck_gelu_tanh(target, count)
    case .silu: ck_silu(target, count)
    }
  }

  /// Multiplies the first `count` elements by the slope of an activation at `x`.
  public mutating func multiplyBySlope(of activation: Activation, at x: Tensor, count: Int) {
    precondition(count <= x.count && count <= self.count, "\(count) elements of \(x.shape) and \(shape)")
    let target = mutablePointer()
    withExtendedLifetime(x.storage) {
      switch activation {
      case .relu: ck_relu_backward(x.pointer, target, count)
      case .gelu: ck_gelu_backward(x.pointer, target, count)
      case .geluTanh: ck_gelu_tanh_backward(x.pointer, target, count)
      case .silu: ck_silu_backward(x.pointer, target, count)
      }
    }
  }
}
