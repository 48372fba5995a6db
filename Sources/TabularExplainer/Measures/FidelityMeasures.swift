// How closely a surrogate follows the black box it stands for.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif
import Tensors

/// Agreement of a surrogate's outputs with a black box's, on the same rows.
public struct FidelityMeasures: Sendable, Equatable {
  /// Share of rows where both name the same class; NaN for regressions.
  public var labelAgreement: Double
  /// Share of the variance of the black box's outputs that the surrogate explains, all outputs taken together
  /// (scikit-learn's `r2_score` with `multioutput='variance_weighted'`).
  public var determination: Double
  /// Mean Kullback–Leibler divergence of the surrogate's probabilities from the black box's, in nats; the
  /// surrogate's are clipped at 1e-6. NaN for regressions.
  public var meanDivergence: Double

  /// The measures in the order of `names`.
  public var values: [Double] { [labelAgreement, determination, meanDivergence] }

  /// The names under which the measures are written into files.
  public static let names = ["label_agreement", "r2", "mean_kl"]
}

/// Two sets of outputs prepared for measuring, possibly many times with other weights.
public struct FidelityScorer: Sendable {
  private let agrees: [Double]
  private let divergences: [Double]
  private let blackBox: [Float]
  private let squaredErrors: [Double]
  private let outputs: Int

  /// Prepares outputs `[rows, outputs]` of both; one output means a regression.
  public init(blackBox: Tensor, surrogate: Tensor) {
    precondition(blackBox.shape == surrogate.shape, "outputs \(blackBox.shape) and \(surrogate.shape)")
    let (rows, outputs) = (blackBox.shape[0], blackBox.shape[1])
    let (p, q) = (blackBox.values, surrogate.values)
    self.blackBox = p
    self.outputs = outputs
    if outputs > 1 {
      agrees = zip(mostProbableClasses(blackBox), mostProbableClasses(surrogate)).map { $0 == $1 ? 1 : 0 }
      divergences = (0..<rows).map { row in
        (0..<outputs).reduce(0) { sum, index in
          let (a, b) = (Double(p[row * outputs + index]), Double(q[row * outputs + index]))
          return a > 0 ? sum + a * log(a / max(b, 1e-6)) : sum
        }
      }
    } else {
      (agrees, divergences) = ([], [])
    }
    squaredErrors = (0..<rows).map { row in
      (row * outputs..<(row + 1) * outputs).reduce(0) { sum, index in
        let error = Double(p[index]) - Double(q[index])
        return sum + error * error
      }
    }
  }

  /// The measures, every row counting `weights[row]` times (once where nil).
  public func measures(weights: [Double]? = nil) -> FidelityMeasures {
    var spread = 0.0
    for output in 0..<outputs {
      let column = squaredErrors.indices.map { Double(blackBox[$0 * outputs + output]) }
      let mean = weightedMean(column, weights)
      spread += weightedMean(column.map { ($0 - mean) * ($0 - mean) }, weights)
    }
    return FidelityMeasures(
      labelAgreement: agrees.isEmpty ? .nan : weightedMean(agrees, weights),
      determination: spread > 0 ? 1 - weightedMean(squaredErrors, weights) / spread : .nan,
      meanDivergence: divergences.isEmpty ? .nan : weightedMean(divergences, weights))
  }

  /// Every measure with its bootstrap interval, in the order of `FidelityMeasures.names`.
  public func estimates(draws: BootstrapDraws) -> [Estimate] {
    let whole = measures().values
    let intervals = draws.intervals(measures: whole.count) { measures(weights: $0).values }
    return zip(whole, intervals).map { Estimate(value: $0, interval: $1) }
  }
}
