// How fast to learn at which step.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A learning rate that rises in a line from 0, then falls along half a cosine.
public struct LearningRateSchedule: Sendable, Equatable {
  /// The largest rate, reached after the warm-up.
  public var peak: Double
  /// Steps of the rise.
  public var warmUp: Int
  /// All steps, the rise included.
  public var steps: Int
  /// The rate at the end, as a share of the peak.
  public var finalShare: Double

  /// A schedule over `steps` steps.
  public init(peak: Double, warmUp: Int, steps: Int, finalShare: Double = 0.02) {
    self.peak = peak
    self.warmUp = warmUp
    self.steps = steps
    self.finalShare = finalShare
  }

  /// The rate of step `step`, counted from 0.
  public func rate(at step: Int) -> Double {
    if step < warmUp { return peak * Double(step + 1) / Double(warmUp) }
    guard steps > warmUp else { return peak }
    let progress = min(1, Double(step - warmUp) / Double(steps - warmUp))
    return peak * (finalShare + (1 - finalShare) * (1 + cos(.pi * progress)) / 2)
  }
}
