// What the explanation is worth, on held-out rows.

import Tables
import Tensors

/// A named measure with its interval.
public struct NamedEstimate: Sendable, Equatable {
  /// The name under which it is written into files.
  public var name: String
  /// The measure.
  public var estimate: Estimate

  /// A named measure.
  public init(name: String, estimate: Estimate) {
    self.name = name
    self.estimate = estimate
  }
}

extension Explainer {
  private func draws(_ stream: UInt64) -> BootstrapDraws {
    // Beyond some rows a hundred draws are as good as five.
    let count = split.held.count > 20_000 ? 100 : 300
    return BootstrapDraws(rows: split.held.count, count: count, seed: options.seed &+ stream)
  }

  /// The black box's quality on the held-out rows.
  public func blackBoxQuality() -> [NamedEstimate] {
    switch table.target {
    case .classes(let labels, _):
      let scorer = ClassificationScorer(labels: split.held.map { labels[$0] }, probabilities: heldOutputs)
      return zip(ClassificationMeasures.names, scorer.estimates(draws: draws(1)))
        .map { NamedEstimate(name: $0, estimate: $1) }
    case .values(let values):
      let estimates = RegressionMeasures.estimates(
        truth: split.held.map { values[$0] }, predicted: heldOutputs.values, draws: draws(1))
      return zip(RegressionMeasures.names, estimates).map { NamedEstimate(name: $0, estimate: $1) }
    }
  }

  /// The most frequent class of the training rows, and its share of the held-out rows: what a black box must beat.
  /// Nil for a quantity.
  public func usualClass() -> (name: String, share: Double)? {
    guard case .classes(let labels, let names) = table.target, !split.held.isEmpty else { return nil }
    var counts = [Int](repeating: 0, count: names.count)
    for row in split.training { counts[labels[row]] += 1 }
    guard let usual = counts.indices.max(by: { counts[$0] < counts[$1] }) else { return nil }
    return (names[usual], Double(split.held.count { labels[$0] == usual }) / Double(split.held.count))
  }

  /// How closely a surrogate follows the black box on the held-out rows.
  public func fidelity(of surrogate: Surrogate) throws -> [NamedEstimate] {
    let scorer = FidelityScorer(blackBox: heldOutputs, surrogate: try surrogate.predict(heldRows))
    return zip(FidelityMeasures.names, scorer.estimates(draws: draws(2)))
      .filter { !$1.value.isNaN }.map { NamedEstimate(name: $0, estimate: $1) }
  }
}
