// What a counterfactual should make a black box say.

/// A class, a band of a quantity, or a range of the user's own.
public enum WantedOutcome: Sendable, Equatable, Codable {
  /// A class or a band, by its number.
  case outcome(Int)
  /// A quantity between two numbers.
  case range(ClosedRange<Double>)

  /// Whether outputs are what is wanted.
  public func isMet(by outputs: [Double], _ outcomes: Outcomes) -> Bool {
    switch self {
    case .outcome(let wanted): outcomes.outcome(outputs) == wanted
    case .range(let range): outputs.first.map { range.contains($0) } ?? false
    }
  }

  /// How near outputs are to what is wanted: more is nearer, and what is wanted is not below 0 for quantities.
  func nearness(of outputs: [Double], _ outcomes: Outcomes) -> Double {
    switch (self, outcomes) {
    case (.outcome(let wanted), .classes):
      let others = outputs.indices.filter { $0 != wanted }.map { outputs[$0] }.max() ?? 0
      return outputs[wanted] - others
    case (.outcome(let wanted), .bands(_, let low, let high)):
      let ends = [
        (-Double.infinity, Double(low)), (Double(low), Double(high)), (Double(high), Double.infinity),
      ][wanted]
      return -max(ends.0 - outputs[0], outputs[0] - ends.1, 0)
    case (.range(let range), _):
      return -max(range.lowerBound - outputs[0], outputs[0] - range.upperBound, 0)
    }
  }
}
