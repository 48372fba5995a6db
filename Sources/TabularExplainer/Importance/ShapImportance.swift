// SHAP values over many rows as one number a feature.

import Trees

extension ShapValues {
  /// |φ| of each row, the mean over scores, for every feature of the model, in score units; features without splits get 0.
  ///
  /// - Parameter names: the model's feature names.
  public func magnitudes(names: [String]) -> RowMagnitudes {
    var magnitudes = [Double](repeating: 0, count: rowCount * names.count)
    for row in 0..<rowCount {
      for (place, feature) in features.enumerated() {
        let start = (row * features.count + place) * scoreCount
        var sum = 0.0
        for score in 0..<scoreCount { sum += abs(values[start + score]) }
        magnitudes[row * names.count + feature] = sum / Double(max(1, scoreCount))
      }
    }
    return RowMagnitudes(method: "shap", names: names, values: magnitudes)
  }

  /// Mean |φ| over rows and scores for every feature of the model, in score units, with bootstrap intervals over rows.
  ///
  /// - Parameter names: the model's feature names; features without splits get 0.
  public func importance(names: [String], draws: BootstrapDraws) -> FeatureImportance {
    magnitudes(names: names).importance(draws: draws)
  }
}
