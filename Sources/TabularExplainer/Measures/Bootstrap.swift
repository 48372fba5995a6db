// Percentile bootstrap: how much a measure moves when the rows are drawn again.
//
// A draw is a weight per row (how often it was drawn), so that measures can keep what they sorted once.

import Tensors

/// Draws of `rows` rows with replacement, as counts per row.
public struct BootstrapDraws: Sendable {
  /// The number of rows.
  public let rows: Int
  /// The number of draws.
  public let count: Int
  /// The seed that the draws depend on.
  public let seed: UInt64

  /// `count` draws of `rows` rows.
  public init(rows: Int, count: Int = 200, seed: UInt64) {
    self.rows = rows
    self.count = count
    self.seed = seed
  }

  /// How often each row was drawn in draw `index`.
  public func weights(_ index: Int) -> [Double] {
    var generator = SeededGenerator(seed: seed, stream: "bootstrap \(index)")
    var weights = [Double](repeating: 0, count: rows)
    for _ in 0..<rows { weights[generator.index(below: rows)] += 1 }
    return weights
  }

  /// The 95 % percentile intervals of several measures, each draw evaluated once for all of them.
  /// - Parameter measure: takes weights, returns `measures` numbers; a NaN (undefined on that draw) is left out.
  public func intervals(
    measures: Int, level: Double = 0.95, _ measure: ([Double]) -> [Double]
  ) -> [Interval] {
    var columns = [[Double]](repeating: [], count: measures)
    for index in 0..<count where rows > 0 {
      for (column, value) in measure(weights(index)).enumerated() where !value.isNaN {
        columns[column].append(value)
      }
    }
    return columns.map { column in
      let sorted = column.sorted()
      return Interval(
        low: quantile((1 - level) / 2, ofSorted: sorted), high: quantile((1 + level) / 2, ofSorted: sorted))
    }
  }
}

/// The quantile of sorted values, by linear interpolation; NaN where there are none.
public func quantile(_ fraction: Double, ofSorted values: [Double]) -> Double {
  guard let last = values.last else { return .nan }
  let place = fraction * Double(values.count - 1)
  let below = Int(place)
  guard below + 1 < values.count else { return last }
  return values[below] + (place - Double(below)) * (values[below + 1] - values[below])
}
