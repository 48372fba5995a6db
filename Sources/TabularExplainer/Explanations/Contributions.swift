// How much each feature moved one prediction; the parts add up to the whole.

import Tables
import Tensors
import Trees

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Contributions of features to one row's prediction.
///
/// For every output `baseline + Σ values = prediction`: up to rounding where the method is exact for the black box,
/// and by a remainder of its own where the contributions are a surrogate's.
public struct Contributions: Sendable, Equatable, Codable {
  /// Where contributions come from.
  public enum Method: String, Sendable, Codable {
    /// Exact SHAP values of the black box's trees.
    case treeSHAP = "tree_shap"
    /// Exact SHAP values of the surrogate's trees; `remainder` is what the surrogate misses.
    case surrogateSHAP = "surrogate_shap"
  }

  /// The method.
  public var method: Method
  /// What is predicted when nothing is known of the row, one number an output.
  public var baseline: [Double]
  /// `[feature][output]`, for the features in `features`.
  public var values: [[Double]]
  /// The features' indices in the table.
  public var features: [Int]
  /// What the contributions leave over, one number an output.
  public var remainder: [Double]
  /// What the contributions are counted in.
  public var unit: Unit

  /// What contributions are counted in.
  public enum Unit: String, Sendable, Codable {
    /// The natural logarithm of the odds of a class.
    case logOdds = "log-odds"
    /// A score for each class, of which the softmax is taken: the log of the probability, but for a constant of the row.
    case logProbability = "log-probability (unnormalised)"
    /// The natural logarithm of the predicted quantity.
    case log = "log"
    /// The square root of the predicted quantity.
    case squareRoot = "square root"
    /// The probability of a class.
    case probability
    /// The target's own unit.
    case target = "target"
    /// A score whose sign decides.
    case score
  }

  /// Baseline, contributions and remainder of one output on the scale of the predictions: the way from the baseline's
  /// prediction to the row's, shared out in proportion to the contributions.
  public func onPredictionScale(output: Int, prediction: [Double]) -> (baseline: Double, values: [Double]) {
    let base = responses(baseline)[output]
    guard unit != .probability, unit != .target else { return (base, values.map { $0[output] }) }
    let sum = values.reduce(remainder[output]) { $0 + $1[output] }
    let way = prediction[output] - base
    guard abs(sum) > 1e-12 else { return (base, values.map { _ in 0 }) }
    return (base, values.map { $0[output] / sum * way })
  }

  /// Predictions for scores, one an output.
  private func responses(_ scores: [Double]) -> [Double] {
    switch unit {
    case .logOdds: return scores.map { 1 / (1 + exp(-slope * $0)) }
    case .log: return scores.map { exp($0) }
    case .squareRoot: return scores.map { $0 * abs($0) }
    case .logProbability:
      let largest = scores.max() ?? 0
      let powers = scores.map { exp($0 - largest) }
      let sum = powers.reduce(0, +)
      return powers.map { $0 / sum }
    case .probability, .target: return scores
    case .score: return scores.map { $0 > 0 ? 1 : 0 }
    }
  }

  /// What log-odds are multiplied by, as some models have it.
  public var slope = 1.0

  /// The features by the size of their contribution to an output, largest first, those without any left out.
  public func largest(output: Int) -> [(feature: Int, value: Double)] {
    zip(features, values).map { ($0, $1[output]) }.filter { abs($0.1) > 0 }
      .sorted { (abs($0.1), $1.0) > (abs($1.1), $0.0) }
      .map { (feature: $0.0, value: $0.1) }
  }
}
