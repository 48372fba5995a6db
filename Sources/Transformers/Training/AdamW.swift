// The optimiser: AdamW with gradients clipped by their global norm.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif
import Tensors

/// AdamW's settings (Loshchilov & Hutter 2019): Adam with weight decay apart from the gradient.
public struct AdamW: Sendable, Equatable {
  /// Decay of the mean of gradients.
  public var beta1: Double
  /// Decay of the mean of squared gradients.
  public var beta2: Double
  /// Added to the root of the second moment.
  public var epsilon: Double
  /// Share of a decaying parameter taken away a step, times the learning rate.
  public var weightDecay: Double
  /// The largest norm of all gradients together; longer ones are scaled down. Nil leaves them as they are.
  public var largestNorm: Double?

  /// Settings, by default those common for small transformers.
  public init(
    beta1: Double = 0.9, beta2: Double = 0.98, epsilon: Double = 1e-8, weightDecay: Double = 0.01,
    largestNorm: Double? = 1
  ) {
    self.beta1 = beta1
    self.beta2 = beta2
    self.epsilon = epsilon
    self.weightDecay = weightDecay
    self.largestNorm = largestNorm
  }

  /// Updates parameters in place; `decaying` says which of them weight decay reaches.
  ///
  /// - Parameters:
  ///   - parameters: all parameters, in one tensor.
  ///   - gradient: the loss's gradient, of the same count.
  /// - Returns: the gradient's norm before clipping.
  @discardableResult
  public func update(
    _ parameters: inout Tensor, gradient: Tensor, state: inout AdamWState, learningRate: Double,
    decaying: [VectorWindow], notDecaying: [VectorWindow] = []
  ) -> Double {
    state.step += 1
    let norm = gradient.sumOfSquares.squareRoot()
    let clip = largestNorm.map { min(1, $0 / (norm + 1e-6)) } ?? 1
    let step = Double(state.step)
    var coefficients = AdamWCoefficients(
      gradientScale: Float(clip), beta1: Float(beta1), beta2: Float(beta2), epsilon: Float(epsilon),
      decayFactor: Float(1 - learningRate * weightDecay),
      stepSize: Float(learningRate / (1 - pow(beta1, step))),
      deviationScale: Float(1 / (1 - pow(beta2, step)).squareRoot()))
    for (windows, factor) in [(decaying, coefficients.decayFactor), (notDecaying, 1)] {
      coefficients.decayFactor = factor
      for window in windows {
        adamWStep(
          &parameters, gradient: gradient, firstMoment: &state.firstMoment,
          secondMoment: &state.secondMoment, window: window, coefficients: coefficients)
      }
    }
    return norm
  }
}

/// What AdamW remembers between steps.
public struct AdamWState: Sendable, Equatable {
  /// Steps taken.
  public var step: Int
  /// Running mean of gradients.
  public var firstMoment: Tensor
  /// Running mean of squared gradients.
  public var secondMoment: Tensor

  /// The state before the first step, for `count` parameters.
  public init(count: Int) {
    step = 0
    firstMoment = Tensor(zeros: [count])
    secondMoment = Tensor(zeros: [count])
  }

  /// A state that was stored.
  public init(step: Int, firstMoment: Tensor, secondMoment: Tensor) {
    self.step = step
    self.firstMoment = firstMoment
    self.secondMoment = secondMoment
  }
}
