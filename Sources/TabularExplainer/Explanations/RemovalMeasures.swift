// Does the black box need the features that were kept, and are they enough? Asked by taking features away.

import Tables
import Tensors

/// How a feature's cells are taken away.
public enum Removal: String, Sendable, CaseIterable {
  /// The training rows' mean, or their most frequent category.
  case mean
  /// Each cell from a training row of its own.
  case marginal
  /// All cells from one training row, so that they fit together.
  case donor
}

extension Explainer {
  /// Rows and draws that removal is measured on.
  private static let removalRows = 100
  private static let removalDraws = 5

  /// Comprehensiveness p(x) − p(x without the kept features) and sufficiency p(x) − p(x with only these), the mean
  /// over held-out rows of the probability of the class that the black box names (for a quantity: of |change|).
  ///
  /// - Returns: two measures for every way of removal, with intervals over rows.
  /// - Throws: what the black box throws.
  public func removalMeasures() throws -> [NamedEstimate] {
    guard probed.answersNewRows else { return [] }
    let rows = Array(0..<min(Self.removalRows, heldRows.rowCount))
    let kept = Set(choice.features)
    let others = Set(0..<table.features.count).subtracting(kept)
    var measures: [NamedEstimate] = []
    for removal in Removal.allCases {
      for (name, removed) in [("comprehensiveness", kept), ("sufficiency", others)] {
        var drops = [Double](repeating: 0, count: rows.count)
        let draws = removal == .mean ? 1 : Self.removalDraws
        for draw in 0..<draws {
          let changed = self.removing(removed, rows: rows.count, removal, draw: draw)
          let outputs = try probed.blackBox.predict(changed)
          for row in rows { drops[row] += drop(row, outputs) / Double(draws) }
        }
        let bootstrap = BootstrapDraws(rows: rows.count, count: 200, seed: options.seed)
        let interval = bootstrap.intervals(measures: 1) { [weightedMean(drops, $0)] }[0]
        measures.append(
          NamedEstimate(
            name: "\(name)_\(removal.rawValue)",
            estimate: Estimate(value: weightedMean(drops, nil), interval: interval)))
      }
    }
    return measures
  }

  private func drop(_ row: Int, _ outputs: Tensor) -> Double {
    let width = outputs.shape[1]
    guard width > 1 else { return abs(Double(heldOutputs[row, 0]) - Double(outputs[row, 0])) }
    let outcome = heldOutcomes[row]
    return Double(heldOutputs[row, outcome]) - Double(outputs[row, outcome])
  }

  /// The first held-out rows without some features; no other copy of them is made, as wide rows take much memory.
  private func removing(_ removed: Set<Int>, rows: Int, _ removal: Removal, draw: Int) -> Features {
    var generator = SeededGenerator(seed: options.seed, stream: "removal \(removal.rawValue) \(draw)")
    let reference = trainingRows.rowCount
    let donors = (0..<rows).map { _ in generator.index(below: reference) }
    var values: [Float] = []
    values.reserveCapacity(rows * table.features.count)
    for feature in 0..<table.features.count {
      for row in 0..<rows { values.append(heldRows[row, feature]) }
    }
    for feature in removed.sorted() {
      let start = feature * rows
      let typical = removal == .mean ? typicalValue(feature) : 0
      for row in 0..<rows {
        values[start + row] =
          switch removal {
          case .mean: typical
          case .marginal: trainingRows[generator.index(below: reference), feature]
          case .donor: trainingRows[donors[row], feature]
          }
      }
    }
    return table.features.replacing(rowCount: rows, values: values)
  }

  /// The mean of a numeric feature, the most frequent category of another; NaN where every cell is missing.
  private func typicalValue(_ feature: Int) -> Float {
    let known = trainingRows.column(feature).filter { !$0.isNaN }
    guard !known.isEmpty else { return .nan }
    guard case .categorical(let names) = table.features.kinds[feature] else {
      return Float(known.reduce(0) { $0 + Double($1) } / Double(known.count))
    }
    var counts = [Int](repeating: 0, count: names.count)
    for value in known where names.indices.contains(Int(value)) { counts[Int(value)] += 1 }
    return Float(counts.indices.max { (counts[$0], -$0) < (counts[$1], -$1) } ?? 0)
  }
}
