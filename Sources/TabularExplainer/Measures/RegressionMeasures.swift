// How good a regression is.

/// Measures of predicted quantities against the true ones.
public struct RegressionMeasures: Sendable, Equatable {
  /// Share of the variance that is explained: 1 − Σ(y − ŷ)² / Σ(y − ȳ)².
  public var determination: Double
  /// Mean absolute error.
  public var meanAbsoluteError: Double
  /// Root of the mean squared error.
  public var rootMeanSquaredError: Double

  /// The measures in the order of `names`.
  public var values: [Double] { [determination, meanAbsoluteError, rootMeanSquaredError] }

  /// The names under which the measures are written into files.
  public static let names = ["r2", "mean_absolute_error", "root_mean_squared_error"]

  /// Measures of `predicted` against `truth`, every row counting `weights[row]` times (once where nil).
  public init(truth: [Float], predicted: [Float], weights: [Double]? = nil) {
    precondition(truth.count == predicted.count, "\(truth.count) values, \(predicted.count) predictions")
    let mean = weightedMean(truth.map(Double.init), weights)
    let errors = zip(truth, predicted).map { Double($0) - Double($1) }
    let squared = weightedMean(errors.map { $0 * $0 }, weights)
    let spread = weightedMean(truth.map { (Double($0) - mean) * (Double($0) - mean) }, weights)
    determination = spread > 0 ? 1 - squared / spread : .nan
    meanAbsoluteError = weightedMean(errors.map { abs($0) }, weights)
    rootMeanSquaredError = squared.squareRoot()
  }

  /// Every measure with its bootstrap interval, in the order of `names`.
  public static func estimates(truth: [Float], predicted: [Float], draws: BootstrapDraws) -> [Estimate] {
    let whole = RegressionMeasures(truth: truth, predicted: predicted).values
    let intervals = draws.intervals(measures: whole.count) {
      RegressionMeasures(truth: truth, predicted: predicted, weights: $0).values
    }
    return zip(whole, intervals).map { Estimate(value: $0, interval: $1) }
  }
}
