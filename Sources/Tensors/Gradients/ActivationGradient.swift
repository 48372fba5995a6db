// Activations and soft caps, and their slopes on the gradient of their result.

import CKernels

extension Tensor {
  /// Multiplies every element by the slope of an activation at `x`, or, by `.relevance`, by act(x)/x.
  public mutating func multiplyBySlope(of activation: Activation, at x: Tensor, rule: SlopeRule = .exact) {
    precondition(x.count == count, "slopes at \(x.shape) for \(shape)")
    let (target, source) = (FloatAddress(mutablePointer()), ConstFloatAddress(x.pointer))
    withExtendedLifetime(x.storage) {
      parallelRanges(count, minimum: 1 << 14) { range in
        let (input, slope) = (source.address + range.lowerBound, target.address + range.lowerBound)
        switch (activation, rule) {
        case (.relu, .exact): ck_relu_backward(input, slope, range.count)
        case (.gelu, .exact): ck_gelu_backward(input, slope, range.count)
        case (.geluTanh, .exact): ck_gelu_tanh_backward(input, slope, range.count)
        case (.silu, .exact): ck_silu_backward(input, slope, range.count)
        case (.relu, .relevance): ck_relu_ratio(input, slope, range.count)
        case (.gelu, .relevance): ck_gelu_ratio(input, slope, range.count)
        case (.geluTanh, .relevance): ck_gelu_tanh_ratio(input, slope, range.count)
        case (.silu, .relevance): ck_silu_ratio(input, slope, range.count)
        }
      }
    }
  }

  /// Multiplies every element by the slope of cap·tanh(x / cap) where its value is `y`.
  public mutating func multiplyByCapSlope(_ cap: Float, at y: Tensor) {
    precondition(y.count == count, "slopes at \(y.shape) for \(shape)")
    let (target, source) = (FloatAddress(mutablePointer()), ConstFloatAddress(y.pointer))
    withExtendedLifetime(y.storage) {
      parallelRanges(count, minimum: 1 << 14) { range in
        ck_soft_cap_backward(
          source.address + range.lowerBound, cap, target.address + range.lowerBound, range.count)
      }
    }
  }
}
