// The optimiser of small networks.

import CKernels
import Tensors

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
