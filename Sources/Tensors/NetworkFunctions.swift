// One pass over all elements: the rectifier, the logistic function and AdamW's step.

import CKernels

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

/// The settings of AdamW (Loshchilov & Hutter 2019); with `weightDecay` 0 it is Adam (Kingma & Ba 2015).
public struct AdamW: Sendable, Equatable, Codable {
  /// The step size.
  public var learningRate: Float
  /// Decay of the running mean of gradients.
  public var beta1: Float = 0.9
  /// Decay of the running mean of squared gradients.
  public var beta2: Float = 0.999
  /// Added to the root of the squares.
  public var epsilon: Float = 1e-8
  /// Decoupled weight decay: each step also multiplies weights by `1 − learningRate·weightDecay`.
  public var weightDecay: Float = 0

  /// AdamW with the usual betas.
  public init(learningRate: Float, weightDecay: Float = 0) {
    self.learningRate = learningRate
    self.weightDecay = weightDecay
  }
}

/// One tensor's running means of gradients and squared gradients.
public struct AdamWState: Sendable {
  private var mean: Tensor
  private var square: Tensor
  private var steps = 0

  /// The state before the first step of a tensor of this shape.
  public init(shape: [Int]) {
    mean = Tensor(zeros: shape)
    square = Tensor(zeros: shape)
  }

  /// Moves `weights` one step against `gradient`.
  public mutating func step(_ weights: inout Tensor, against gradient: Tensor, _ settings: AdamW) {
    precondition(
      weights.shape == gradient.shape && mean.shape == weights.shape, "\(gradient.shape) for \(weights.shape)"
    )
    steps += 1
    var (power1, power2): (Float, Float) = (1, 1)
    for _ in 0..<min(steps, 20_000) { (power1, power2) = (power1 * settings.beta1, power2 * settings.beta2) }
    let (target, first, second) = (weights.mutablePointer(), mean.mutablePointer(), square.mutablePointer())
    withExtendedLifetime(gradient.storage) {
      ck_adamw_clipped(
        target, gradient.pointer, first, second, weights.count, 1, settings.beta1, settings.beta2,
        settings.epsilon, 1 - settings.learningRate * settings.weightDecay,
        settings.learningRate / (1 - power1), 1 / (1 - power2).squareRoot())
    }
  }
}
