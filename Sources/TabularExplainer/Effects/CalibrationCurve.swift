// Whether predictions mean what they say: predicted against observed, some rows at a time.

import Tensors

/// One bin of a calibration curve.
public struct CalibrationBin: Sendable, Equatable {
  /// The number of rows.
  public let rows: Int
  /// Their mean prediction.
  public let predicted: Double
  /// The share of the class among them, or the mean of the quantity.
  public let observed: Double
  /// Its 95 % interval: Clopper–Pearson's for a share, two standard errors to either side for a mean.
  public let interval: Interval
}

/// The curve of a class's probabilities, in bins of as many rows each; equal predictions share a bin.
public func calibrationCurve(probabilities: [Double], isTrue: [Bool], bins: Int = 10) -> [CalibrationBin] {
  binned(probabilities, bins).map { rows in
    let hits = rows.count { isTrue[$0] }
    return CalibrationBin(
      rows: rows.count, predicted: mean(rows.map { probabilities[$0] }),
      observed: Double(hits) / Double(rows.count),
      interval: clopperPearson(successes: hits, trials: rows.count))
  }
}

/// The curve of a quantity's predictions, in bins of as many rows each.
public func calibrationCurve(predictions: [Double], truth: [Double], bins: Int = 10) -> [CalibrationBin] {
  binned(predictions, bins).map { rows in
    let values = rows.map { truth[$0] }
    let middle = mean(values)
    let variance =
      values.reduce(0) { $0 + ($1 - middle) * ($1 - middle) } / Double(max(1, values.count - 1))
    let error = (variance / Double(values.count)).squareRoot()
    return CalibrationBin(
      rows: rows.count, predicted: mean(rows.map { predictions[$0] }), observed: middle,
      interval: Interval(low: middle - 2 * error, high: middle + 2 * error))
  }
}

/// Row numbers by rising prediction, in about `count` parts of one size; rows of one prediction stay together.
private func binned(_ predictions: [Double], _ count: Int) -> [[Int]] {
  let order = predictions.indices.sorted { (predictions[$0], $0) < (predictions[$1], $1) }
  let size = max(1, (order.count + count - 1) / max(1, count))
  var bins: [[Int]] = []
  for row in order {
    if let last = bins.last, let end = last.last,
      last.count < size || predictions[end] == predictions[row]
    {
      bins[bins.count - 1].append(row)
    } else {
      bins.append([row])
    }
  }
  return bins
}

private func mean(_ values: [Double]) -> Double { values.reduce(0, +) / Double(max(1, values.count)) }
