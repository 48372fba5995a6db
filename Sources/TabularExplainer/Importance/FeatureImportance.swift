// What every probe gives: how much each input feature matters, over all rows or for one.

import Tensors

/// How much each input feature matters to a black box, by one method, over a set of rows.
public struct FeatureImportance: Sendable, Equatable, Codable {
  /// The method's name, as it stands in tables: `attention`, `integrated-gradients`, `permutation`, ….
  public let method: String
  /// The features' names.
  public let names: [String]
  /// One number a feature; its scale is the method's.
  public let values: [Double]
  /// Bootstrap intervals, one a feature; nil where none were made.
  public var intervals: [ClosedRange<Double>]?

  /// Importances of features.
  /// - Precondition: as many values, and intervals where given, as names.
  public init(method: String, names: [String], values: [Double], intervals: [ClosedRange<Double>]? = nil) {
    precondition(
      values.count == names.count && intervals.map { $0.count == names.count } ?? true,
      "\(values.count) values for \(names.count) features")
    self.method = method
    self.names = names
    self.values = values
    self.intervals = intervals
  }

  /// Features by falling importance; equals in the order of the table.
  public var ranking: [Int] { values.indices.sorted { (-values[$0], $0) < (-values[$1], $1) } }

  /// The `count` features that matter most.
  public func top(_ count: Int) -> [Int] { Array(ranking.prefix(count)) }

  /// The `count` features that matter least, the least first.
  public func bottom(_ count: Int) -> [Int] { Array(ranking.suffix(count).reversed()) }
}

/// What each input feature contributes to one output of a black box, row by row.
public struct RowAttributions: Sendable, Equatable {
  /// The method's name.
  public let method: String
  /// The features' names.
  public let names: [String]
  /// The output that is explained, one a row.
  public let outputs: [Int]
  /// `[rows, features]`, signed where the method is.
  public let values: Tensor
  /// The black box's output at each row; empty for methods whose values do not add up to it.
  public let predictions: [Double]
  /// What is explained at the baseline, so that `baseline + Σ values = prediction`; empty as `predictions`.
  public let baselines: [Double]

  /// Attributions of rows.
  /// - Precondition: `values` has shape `[outputs.count, names.count]`.
  public init(
    method: String, names: [String], outputs: [Int], values: Tensor, predictions: [Double] = [],
    baselines: [Double] = []
  ) {
    precondition(values.shape == [outputs.count, names.count], "values \(values.shape)")
    self.method = method
    self.names = names
    self.outputs = outputs
    self.values = values
    self.predictions = predictions
    self.baselines = baselines
  }

  /// Global importance: the mean size of every feature's contributions.
  public var meanMagnitude: FeatureImportance {
    var sums = [Double](repeating: 0, count: names.count)
    values.withValues { span in
      for index in span.indices { sums[index % names.count] += Double(abs(span[index])) }
    }
    let rows = Double(max(1, outputs.count))
    return FeatureImportance(method: method, names: names, values: sums.map { $0 / rows })
  }
}
