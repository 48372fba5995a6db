// Exact bounds on a proportion that was counted.

/// Clopper–Pearson bounds on the probability behind `successes` of `trials`.
///
/// - Parameter level: the least probability that the interval covers, 0.95 where nothing is said.
/// - Returns: 0 to 1 where there were no trials.
public func clopperPearson(successes: Int, trials: Int, level: Double = 0.95) -> Interval {
  precondition(successes >= 0 && successes <= trials, "\(successes) successes of \(trials)")
  let tail = (1 - level) / 2
  let (hits, misses) = (Double(successes), Double(trials - successes))
  return Interval(
    low: successes == 0 ? 0 : inverseRegularizedIncompleteBeta(tail, hits, misses + 1),
    high: successes == trials ? 1 : inverseRegularizedIncompleteBeta(1 - tail, hits + 1, misses))
}

/// The lower one-sided Clopper–Pearson bound, for searches that only need to know "at least".
public func clopperPearsonLowerBound(successes: Int, trials: Int, level: Double = 0.95) -> Double {
  successes == 0
    ? 0 : inverseRegularizedIncompleteBeta(1 - level, Double(successes), Double(trials - successes + 1))
}
