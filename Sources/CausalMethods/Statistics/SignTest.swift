// Exact tests of how often something is the case.

import Tensors

/// The two-sided p-value of so many successes of so many trials under chance one half: the probability of a count at
/// least as far from the middle (exact binomial).
public func signTest(successes: Int, trials: Int) -> Double {
  precondition((0...max(trials, 0)).contains(successes), "\(successes) successes of \(trials)")
  guard trials > 0 else { return 1 }
  let distance = abs(2 * successes - trials)
  var total = 0.0
  var logChoose = 0.0
  for count in 0...trials {
    if count > 0 { logChoose += logarithm(Double(trials - count + 1)) - logarithm(Double(count)) }
    if abs(2 * count - trials) >= distance {
      total += exponential(logChoose - Double(trials) * logarithm(2))
    }
  }
  return min(1, total)
}

/// The probability of at least so many successes of so many trials, each with the same chance.
public func binomialTail(successes: Int, trials: Int, chance: Double) -> Double {
  precondition(chance > 0 && chance < 1 && successes >= 0, "\(successes) of \(trials) at \(chance)")
  var total = 0.0
  var logChoose = 0.0
  for count in 0...max(0, trials) {
    if count > 0 { logChoose += logarithm(Double(trials - count + 1)) - logarithm(Double(count)) }
    if count >= successes {
      total += exponential(
        logChoose + Double(count) * logarithm(chance) + Double(trials - count) * logarithm(1 - chance))
    }
  }
  return min(1, total)
}
