// How good a classifier is, by the measures its field quotes.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif
import Tensors

/// Measures of one set of predicted probabilities against the true classes.
public struct ClassificationMeasures: Sendable, Equatable {
  /// Share of rows whose class has the highest probability.
  public var accuracy: Double
  /// Mean recall over the classes that occur.
  public var balancedAccuracy: Double
  /// Matthews' correlation coefficient.
  public var matthewsCorrelation: Double
  /// Mean F1 over the classes that occur or are predicted.
  public var macroF1: Double
  /// Area under the ROC curve; for more than two classes the mean of one against the rest.
  public var areaUnderCurve: Double
  /// Mean squared error of the probabilities: of the second class where there are two, else summed over classes.
  public var brierScore: Double
  /// Mean −ln of the true class's probability, clipped at float32's rounding unit.
  public var logLoss: Double

  /// The measures in the order of `names`.
  public var values: [Double] {
    [accuracy, balancedAccuracy, matthewsCorrelation, macroF1, areaUnderCurve, brierScore, logLoss]
  }

  /// The names under which the measures are written into files.
  public static let names = [
    "accuracy", "balanced_accuracy", "mcc", "macro_f1", "roc_auc", "brier_score", "log_loss",
  ]
}

/// Predictions prepared for measuring, possibly many times with other weights.
public struct ClassificationScorer: Sendable {
  private let labels: [Int]
  private let predicted: [Int]
  private let classCount: Int
  private let squaredErrors: [Double]
  private let logErrors: [Double]
  private let areas: [RankArea]

  /// Prepares probabilities `[rows, classes]` against class indices.
  public init(labels: [Int], probabilities: Tensor) {
    let classCount = probabilities.shape[1]
    precondition(probabilities.shape[0] == labels.count, "\(labels.count) labels for \(probabilities.shape)")
    let values = probabilities.values
    self.labels = labels
    self.classCount = classCount
    predicted = mostProbableClasses(probabilities)
    squaredErrors = labels.indices.map { row in
      if classCount == 2 {
        let error = Double(values[row * 2 + 1]) - (labels[row] == 1 ? 1 : 0)
        return error * error
      }
      return (0..<classCount).reduce(0) { sum, index in
        let error = Double(values[row * classCount + index]) - (labels[row] == index ? 1 : 0)
        return sum + error * error
      }
    }
    let unit = Double(Float.ulpOfOne)
    logErrors = labels.indices.map { row in
      -log(min(max(Double(values[row * classCount + labels[row]]), unit), 1 - unit))
    }
    // Two classes have one curve, that of the second.
    areas = (classCount == 2 ? [1] : Array(0..<classCount)).map { index in
      RankArea(
        scores: labels.indices.map { values[$0 * classCount + index] }, isPositive: labels.map { $0 == index }
      )
    }
  }

  /// The measures, every row counting `weights[row]` times (once where nil).
  public func measures(weights: [Double]? = nil) -> ClassificationMeasures {
    let confusion = ConfusionMatrix(
      labels: labels, predicted: predicted, classCount: classCount, weights: weights)
    let defined = areas.map { $0.area(weights: weights) }.filter { !$0.isNaN }
    return ClassificationMeasures(
      accuracy: confusion.accuracy, balancedAccuracy: confusion.balancedAccuracy,
      matthewsCorrelation: confusion.matthewsCorrelation, macroF1: confusion.macroF1,
      areaUnderCurve: defined.isEmpty ? .nan : defined.reduce(0, +) / Double(defined.count),
      brierScore: weightedMean(squaredErrors, weights), logLoss: weightedMean(logErrors, weights))
  }

  /// Every measure with its bootstrap interval, in the order of `ClassificationMeasures.names`.
  public func estimates(draws: BootstrapDraws) -> [Estimate] {
    let whole = measures().values
    let intervals = draws.intervals(measures: whole.count) { measures(weights: $0).values }
    return zip(whole, intervals).map { Estimate(value: $0, interval: $1) }
  }
}

/// The class with the highest probability in every row, the first where several tie.
public func mostProbableClasses(_ probabilities: Tensor) -> [Int] {
  let width = probabilities.shape[1]
  return probabilities.withValues { values in
    (0..<probabilities.shape[0]).map { row in
      var best = 0
      for index in 1..<max(width, 1) where values[row * width + index] > values[row * width + best] {
        best = index
      }
      return best
    }
  }
}

func weightedMean(_ values: [Double], _ weights: [Double]?) -> Double {
  guard let weights else { return values.reduce(0, +) / Double(values.count) }
  var (sum, total) = (0.0, 0.0)
  for row in values.indices {
    sum += weights[row] * values[row]
    total += weights[row]
  }
  return sum / total
}
