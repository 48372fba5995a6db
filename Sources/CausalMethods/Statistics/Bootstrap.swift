// Intervals by resampling what was sampled: prompts, or seeds. Heads are all there are, so they are not resampled.

import Tensors

/// The percentile bootstrap interval of a statistic (Efron & Tibshirani 1993, section 13.3).
/// - Parameters:
///   - count: the number of things that were sampled, such as prompts.
///   - seed: the same seed gives the same interval.
///   - statistic: computed from the indices drawn, with repeats.
public func bootstrapInterval(
  of count: Int, confidence: Double = 0.95, resamples: Int = 2000, seed: UInt64,
  statistic: ([Int]) -> Double
) -> ClosedRange<Double> {
  precondition(count > 0 && resamples > 1, "\(resamples) resamples of \(count) things")
  precondition(confidence > 0 && confidence < 1, "a confidence of \(confidence)")
  var generator = SeededGenerator(seed: seed, stream: "bootstrap")
  let values = (0..<resamples).map { _ in
    statistic((0..<count).map { _ in generator.index(below: count) })
  }
  return percentileInterval(values, confidence: confidence)
}

/// The interval that leaves out equal shares of the values at either end.
/// - Parameter values: a statistic for each draw.
public func percentileInterval(_ values: [Double], confidence: Double = 0.95) -> ClosedRange<Double> {
  precondition(!values.isEmpty, "no values to take an interval of")
  let sorted = values.sorted()
  return quantile((1 - confidence) / 2, of: sorted)...quantile((1 + confidence) / 2, of: sorted)
}

/// The bootstrap interval of a mean.
public func bootstrapInterval(ofMean values: [Double], confidence: Double = 0.95, seed: UInt64)
  -> ClosedRange<Double>
{
  bootstrapInterval(of: values.count, confidence: confidence, seed: seed) { indices in
    indices.reduce(0) { $0 + values[$1] } / Double(indices.count)
  }
}

/// The quantile of sorted values, linear between neighbours.
private func quantile(_ share: Double, of sorted: [Double]) -> Double {
  let place = share * Double(sorted.count - 1)
  let below = Int(place)
  let above = min(below + 1, sorted.count - 1)
  return sorted[below] + (place - Double(below)) * (sorted[above] - sorted[below])
}
