// How much each feature moved one prediction; the parts add up to the whole.

import Tables
import Tensors
import Trees

/// Contributions of features to one row's prediction.
///
/// For every output `baseline + Σ values = prediction`: up to rounding where the method is exact for the black box,
/// and by a remainder of its own where the contributions are a surrogate's.
public struct Contributions: Sendable, Equatable {
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
  /// The unit: outputs, or scores where a link stands between trees and outputs (log odds).
  public var isInScores: Bool

  /// The features by the size of their contribution to an output, largest first, those without any left out.
  public func largest(output: Int) -> [(feature: Int, value: Double)] {
    zip(features, values).map { ($0, $1[output]) }.filter { abs($0.1) > 0 }
      .sorted { (abs($0.1), $1.0) > (abs($1.1), $0.0) }
      .map { (feature: $0.0, value: $0.1) }
  }
}
