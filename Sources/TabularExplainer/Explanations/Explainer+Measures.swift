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

  /// Another order of a given black box's outputs, where its accuracy is below the commonest class's share and that
  /// order raises it clearly: the outputs were probably taken for the wrong classes.
  public func betterClassOrder() -> (names: [String], accuracy: Double)? {
    guard probed.outputSource == .given, !table.targetIsPredicted,
      case .classes(let labels, let names) = table.target,
      (2...7).contains(names.count), !split.held.isEmpty
    else { return nil }
    var counts = [[Int]](repeating: [Int](repeating: 0, count: names.count), count: names.count)
    for (place, row) in split.held.enumerated() { counts[heldOutcomes[place]][labels[row]] += 1 }
    let rows = Double(split.held.count)
    let usual = names.indices.map { label in counts.reduce(0) { $0 + $1[label] } }.max() ?? 0
    let now = names.indices.reduce(0) { $0 + counts[$1][$1] }
    var best = (order: Array(names.indices), right: now)
    func search(_ order: [Int], _ left: [Int], _ right: Int) {
      if left.isEmpty, right > best.right { best = (order, right) }
      for label in left {
        search(order + [label], left.filter { $0 != label }, right + counts[order.count][label])
      }
    }
    search([], Array(names.indices), 0)
    guard now < usual, best.right > usual, Double(best.right - now) >= 0.1 * rows else { return nil }
    // Output `i` of the model stands at the class it was taken for.
    return (best.order.map { names[$0] }, Double(best.right) / rows)
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

  /// Whether always saying the mean of the training rows would do as well: R² is not clearly above 0. False for classes.
  public func isNoBetterThanTheMean(_ quality: [NamedEstimate]) -> Bool {
    guard case .values = table.target, let found = quality.first(where: { $0.name == "r2" }) else {
      return false
    }
    return !(found.estimate.interval.low > 0)
  }

  /// How closely a surrogate follows the black box on the held-out rows.
  public func fidelity(of surrogate: Surrogate) throws -> [NamedEstimate] {
    let scorer = FidelityScorer(blackBox: heldOutputs, surrogate: try surrogate.predict(heldRows))
    return zip(FidelityMeasures.names, scorer.estimates(draws: draws(2)))
      .filter { !$1.value.isNaN }.map { NamedEstimate(name: $0, estimate: $1) }
  }
}
