// What another draw of the rows would change: black box, kept features and rules made anew from redrawn rows.

import Tables
import Tensors

/// How an explanation holds up when everything behind it is made anew from redrawn rows.
public struct Stability: Sendable, Equatable {
  /// How often rows were redrawn. Each time as many training rows were drawn with replacement.
  public var refits: Int
  /// The overlap of the most important features, Jaccard, refit by refit.
  public var keptOverlap: [Double]
  /// The share of held-out rows for which the refit's rules say what the explanation's rules say, refit by refit.
  public var ruleAgreement: [Double]
  /// For every kept feature, in how many refits it was among the most important.
  public var timesKept: [Int]
  /// The spread of contributions: the mean over features and rows of their standard deviation over refits, as a share of
  /// their mean size. NaN where contributions are a surrogate's.
  public var contributionSpread: Double
  /// For every explained row, in how many refits the black box said another outcome.
  public var otherOutcomes: [Int: Int]

  /// Mean, least and largest of measures of refits.
  public static func estimate(_ values: [Double]) -> Estimate {
    Estimate(
      value: values.reduce(0, +) / Double(max(1, values.count)),
      interval: Interval(low: values.min() ?? .nan, high: values.max() ?? .nan))
  }
}

extension Explainer {
  /// How many refits a table is worth unless the user says: fewer for larger tables, none where each takes long.
  public static func usualRefits(rows: Int, features: Int) -> Int {
    switch rows * features {
    case ...20_000: 10
    case ...100_000: 5
    case ...500_000: 3
    default: 0
    }
  }

  /// Fits black box and surrogate `refits` times to redrawn training rows; a given black box stays, and only its probes
  /// and surrogate are made anew.
  /// - Parameter rows: the explained rows, of the table.
  /// - Throws: what the black box throws.
  public func stability(refits: Int, rows: [Int]) throws -> Stability? {
    guard refits > 0 else { return nil }
    var result = Stability(
      refits: refits, keptOverlap: [], ruleAgreement: [],
      timesKept: [Int](repeating: 0, count: choice.features.count), contributionSpread: .nan,
      otherOutcomes: [:])
    let kept = Set(choice.features)
    let own = outcomes.outcomes(try choice.tree.predict(heldRows))
    let looked = Array(split.held.prefix(20))
    var contributions: [[[Double]]] = []
    var explained: [Int: Int] = [:]
    for row in rows {
      let single = table.features.selecting(rows: [row])
      explained[row] = outcomes.outcome(try probed.blackBox.predict(single).values.map { Double($0) })
    }
    for refit in 0..<refits {
      let drawn = redrawn(options.seed &+ UInt64(refit) &+ 1)
      let other = try probed.refit?(table, drawn, options.seed &+ UInt64(refit) &+ 1) ?? reprobed(drawn)
      let top = Array(other.ranking.prefix(kept.count))
      result.keptOverlap.append(Double(kept.intersection(top).count) / Double(kept.union(top).count))
      for (place, feature) in choice.features.enumerated() where top.contains(feature) {
        result.timesKept[place] += 1
      }
      let fitter = SurrogateFitter(
        table.features, using: top, rows: drawn, targets: other.trainingOutputs,
        outputNames: other.blackBox.outputNames, seed: options.seed)
      let size = max(2, choice.tree.complexity.rules)
      let tree = try fitter.fit(SurrogatePlan(.tree, size: size))
      let says = outcomes.outcomes(try tree.predict(heldRows))
      if !own.isEmpty {
        result.ruleAgreement.append(Double(zip(own, says).count { $0 == $1 }) / Double(own.count))
      }
      for (row, outcome) in explained {
        let single = table.features.selecting(rows: [row])
        let says = outcomes.outcome(try other.blackBox.predict(single).values.map { Double($0) })
        if says != outcome { result.otherOutcomes[row, default: 0] += 1 }
      }
      if let ensemble = other.ensemble, probed.ensemble != nil, probed.refit != nil {
        contributions.append(
          try looked.map { row in
            let found = try Contributions(
              .treeSHAP, ensemble, table.features.selecting(rows: [row]), tableNames: table.features.names)
            var byFeature = [Double](repeating: 0, count: table.features.count)
            for (feature, values) in zip(found.features, found.values) {
              byFeature[feature] = values.last ?? 0
            }
            return choice.features.map { byFeature[$0] }
          })
      }
    }
    if contributions.count > 1 { result.contributionSpread = Self.spread(contributions) }
    return result
  }

  /// Training rows drawn with replacement; copies of a row stay together as they do in splits.
  private func redrawn(_ seed: UInt64) -> [Int] {
    var generator = SeededGenerator(seed: seed, stream: "redrawn rows")
    let rows = split.training
    for _ in 0..<20 {
      let drawn = (0..<rows.count).map { _ in rows[generator.index(below: rows.count)] }.sorted()
      guard case .classes(let labels, _) = table.target else { return drawn }
      if Set(drawn.map { labels[$0] }).count == Set(rows.map { labels[$0] }).count { return drawn }
    }
    return rows
  }

  /// The same black box probed on other rows.
  private func reprobed(_ rows: [Int]) throws -> ProbedBlackBox {
    try ProbedBlackBox(
      name: probed.name, blackBox: probed.blackBox,
      trainingOutputs: try probed.blackBox.predict(table.features.selecting(rows: rows)),
      outputSource: .given,
      ensemble: probed.ensemble, features: table.features.selecting(rows: rows), seed: options.seed)
  }

  /// Standard deviation over refits by mean size, over rows and features.
  private static func spread(_ refits: [[[Double]]]) -> Double {
    var (deviations, sizes) = (0.0, 0.0)
    for row in refits[0].indices {
      for feature in refits[0][row].indices {
        let values = refits.map { $0[row][feature] }
        let mean = values.reduce(0, +) / Double(values.count)
        let squares = values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
        deviations += (squares / Double(values.count - 1)).squareRoot()
        sizes += values.reduce(0) { $0 + abs($1) } / Double(values.count)
      }
    }
    return sizes > 0 ? deviations / sizes : .nan
  }
}
