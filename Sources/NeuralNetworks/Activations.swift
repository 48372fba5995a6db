// One pass over all elements: the rectifier and the logistic function.

import CKernels
import Tensors

extension Tensor {
  private func mapChunks(
    _ body: @Sendable (UnsafePointer<Float>, UnsafeMutablePointer<Float>, Int) -> Void
  ) -> Tensor {
    var result = Tensor(uninitialized: shape)
    nonisolated(unsafe) let source = pointer
    nonisolated(unsafe) let target = result.mutablePointer()
    withExtendedLifetime(storage) {
      parallelRanges(count, minimum: 1 << 16) { range in
        body(source + range.lowerBound, target + range.lowerBound, range.count)
      }
    }
    return result
  }

  /// `max(x, 0)`.
  public func rectified() -> Tensor {
    mapChunks { ck_rectify($0, $2, $1) }
  }

  /// The gradient of `rectified`, called on its result: `gradient` where the result is positive, else 0.
  public func rectifiedGradient(_ gradient: Tensor) -> Tensor {
    precondition(gradient.shape == shape, "gradient \(gradient.shape) of \(shape)")
    var result = Tensor(uninitialized: shape)
    nonisolated(unsafe) let (source, upstream) = (pointer, gradient.pointer)
    nonisolated(unsafe) let target = result.mutablePointer()
    withExtendedLifetime((storage, gradient.storage)) {
      parallelRanges(count, minimum: 1 << 16) { range in
        let start = range.lowerBound
        ck_rectify_gradient(source + start, upstream + start, range.count, target + start)
      }
    }
    return result
  }

  /// `1 / (1 + exp(−x))`.
  public func logistic() -> Tensor {
    mapChunks { ck_logistic($0, $2, $1) }
  }

  /// `exp(x)`.
  public func exponential() -> Tensor {
    mapChunks { source, target, count in
      target.update(from: source, count: count)
      ck_exp(target, count)
    }
  }
}
