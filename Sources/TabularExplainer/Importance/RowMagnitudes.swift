// How much each feature matters at each of some rows: what importance over all rows is the mean of.

import Tensors

/// One number of at least 0 a row and feature.
public struct RowMagnitudes: Sendable, Equatable {
  /// The method's name.
  public let method: String
  /// The features' names.
  public let names: [String]
  /// `[row · features + feature]`.
  public private(set) var values: [Double]

  /// Magnitudes of rows.
  /// - Precondition: as many values in each row as names.
  public init(method: String, names: [String], values: [Double]) {
    precondition(
      names.isEmpty ? values.isEmpty : values.count % names.count == 0,
      "\(values.count) values for rows of \(names.count) features")
    self.method = method
    self.names = names
    self.values = values
  }

  /// How many rows there are.
  public var rowCount: Int { names.isEmpty ? 0 : values.count / names.count }

  /// Adds the rows of another part.
  /// - Precondition: the same features.
  public mutating func append(_ part: RowMagnitudes) {
    precondition(part.names == names, "parts with other features")
    values += part.values
  }

  /// Importance: the mean over rows, with intervals over rows drawn again; none without rows.
  public func importance(draws: BootstrapDraws) -> FeatureImportance {
    let (rows, width) = (rowCount, names.count)
    func means(_ weights: [Double]?) -> [Double] {
      var sums = [Double](repeating: 0, count: width)
      for row in 0..<rows {
        let weight = weights?[row] ?? 1
        if weight == 0 { continue }
        for feature in 0..<width { sums[feature] += weight * values[row * width + feature] }
      }
      return sums.map { $0 / Double(max(1, rows)) }
    }
    guard rows > 0 else { return FeatureImportance(method: method, names: names, values: means(nil)) }
    return FeatureImportance(
      method: method, names: names, values: means(nil),
      intervals: draws.intervals(measures: width) { means($0) }.map {
        $0.low <= $0.high ? $0.low...$0.high : 0...0
      })
  }
}

extension RowAttributions {
  /// The sizes of the contributions.
  public var magnitudes: RowMagnitudes {
    RowMagnitudes(method: method, names: names, values: values.values.map { Double(abs($0)) })
  }

  /// Global importance: the mean size of every feature's contributions, with intervals over rows drawn again.
  public func importance(draws: BootstrapDraws) -> FeatureImportance { magnitudes.importance(draws: draws) }
}
