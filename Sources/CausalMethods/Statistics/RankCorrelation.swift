// How alike two rankings of the same heads are.

/// Spearman's rank correlation: Pearson's of the ranks, equal values sharing the mean of their ranks.
/// - Returns: from −1 to 1; nil where either side has one value only, so that there is no order.
public func rankCorrelation(_ left: [Double], _ right: [Double]) -> Double? {
  precondition(left.count == right.count, "\(left.count) values beside \(right.count)")
  let (a, b) = (centredRanks(left), centredRanks(right))
  let product = zip(a, b).reduce(0) { $0 + $1.0 * $1.1 }
  let squares = a.reduce(0) { $0 + $1 * $1 } * b.reduce(0) { $0 + $1 * $1 }
  return squares > 0 ? product / squares.squareRoot() : nil
}

/// Ranks from the lowest up, less their mean.
private func centredRanks(_ values: [Double]) -> [Double] {
  let order = values.indices.sorted { values[$0] < values[$1] }
  var ranks = [Double](repeating: 0, count: values.count)
  let mean = Double(values.count - 1) / 2
  var start = 0
  while start < order.count {
    var end = start + 1
    while end < order.count, values[order[end]] == values[order[start]] { end += 1 }
    for place in start..<end { ranks[order[place]] = Double(start + end - 1) / 2 - mean }
    start = end
  }
  return ranks
}
