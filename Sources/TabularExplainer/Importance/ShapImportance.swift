// SHAP values over many rows as one number a feature.

import Trees

extension ShapValues {
  /// Mean |φ| over rows and scores for every feature of the model, in score units, with bootstrap intervals over rows.
  ///
  /// - Parameter names: the model's feature names; features without splits get 0.
  public func importance(names: [String], draws: BootstrapDraws) -> FeatureImportance {
    let width = features.count
    // One magnitude a row and feature.
    var magnitudes = [Double](repeating: 0, count: rowCount * width)
    for place in magnitudes.indices {
      var sum = 0.0
      for score in 0..<scoreCount { sum += abs(values[place * scoreCount + score]) }
      magnitudes[place] = sum / Double(max(1, scoreCount))
    }
    func means(_ weights: [Double]?) -> [Double] {
      var sums = [Double](repeating: 0, count: width)
      for row in 0..<rowCount {
        let weight = weights?[row] ?? 1
        if weight == 0 { continue }
        for feature in 0..<width { sums[feature] += weight * magnitudes[row * width + feature] }
      }
      return sums.map { $0 / Double(max(1, rowCount)) }
    }
    let whole = means(nil)
    let intervals = draws.intervals(measures: width) { means($0) }
    var importance = [Double](repeating: 0, count: names.count)
    var ranges = [ClosedRange<Double>](repeating: 0...0, count: names.count)
    for (place, feature) in features.enumerated() {
      importance[feature] = whole[place]
      // Without rows there is nothing to draw, and the ends are undefined.
      let (low, high) = (intervals[place].low, intervals[place].high)
      ranges[feature] = low <= high ? low...high : 0...0
    }
    return FeatureImportance(method: "shap", names: names, values: importance, intervals: ranges)
  }
}
