// The optimiser's update of an array of parameters.

import CKernels

/// The numbers of one AdamW update, after schedules and bias corrections are worked out.
public struct AdamWCoefficients: Sendable, Equatable {
  /// What gradients are multiplied by first, to clip them.
  public var gradientScale: Float
  /// Decay of the first moment.
  public var beta1: Float
  /// Decay of the second moment.
  public var beta2: Float
  /// Added to the deviation.
  public var epsilon: Float
  /// 1 − learning rate · weight decay.
  public var decayFactor: Float
  /// learning rate / (1 − beta1^t).
  public var stepSize: Float
  /// 1 / √(1 − beta2^t).
  public var deviationScale: Float

  /// The numbers of one update.
  public init(
    gradientScale: Float, beta1: Float, beta2: Float, epsilon: Float, decayFactor: Float, stepSize: Float,
    deviationScale: Float
  ) {
    self.gradientScale = gradientScale
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.decayFactor = decayFactor
    self.stepSize = stepSize
    self.deviationScale = deviationScale
  }
}

/// Updates the parameters in `window` and their moments (Loshchilov & Hutter 2019, algorithm 2).
public func adamWStep(
  _ parameters: inout Tensor, gradient: Tensor, firstMoment: inout Tensor, secondMoment: inout Tensor,
  window: VectorWindow, coefficients: AdamWCoefficients
) {
  window.check(in: parameters)
  window.check(in: gradient)
  window.check(in: firstMoment)
  window.check(in: secondMoment)
  let values = parameters.mutablePointer() + window.offset
  let first = firstMoment.mutablePointer() + window.offset
  let second = secondMoment.mutablePointer() + window.offset
  withExtendedLifetime(gradient.storage) {
    ck_adamw_clipped(
      values, gradient.pointer + window.offset, first, second, window.count, coefficients.gradientScale,
      coefficients.beta1, coefficients.beta2, coefficients.epsilon, coefficients.decayFactor,
      coefficients.stepSize, coefficients.deviationScale)
  }
}
