// The best way to part one column's codes in two.

/// Looks through the ways to part codes; the larger Σ‖sum‖²/count over both sides, the better.
struct SplitSearch {
  let outputs: Int
  let total: [Double]
  let count: Int
  let rowsPerLeaf: Int

  struct Found {
    var score: Double
    var goesLeft: [Bool]
    var lastLeft: Int
  }

  func best(of column: BinnedColumns.Column, _ histogram: Histogram) -> Found? {
    let missing = Int(BinnedColumns.missing)
    let order =
      column.isCategorical
      ? categoryOrder(histogram, codes: column.codeCount)
      : (0..<column.codeCount).filter { histogram.counts[$0] > 0 }
    guard !order.isEmpty else { return nil }
    let hasMissing = histogram.counts[missing] > 0
    var best: (score: Double, place: Int, missingLeft: Bool)?
    // Missing cells try both sides; without any they follow the larger side.
    for missingLeft in hasMissing ? [false, true] : [false] {
      var leftCount = missingLeft ? histogram.counts[missing] : 0
      var left = missingLeft ? sums(histogram, missing) : [Double](repeating: 0, count: outputs)
      for (place, code) in order.enumerated() {
        leftCount += histogram.counts[code]
        for output in 0..<outputs { left[output] += histogram.sums[code * outputs + output] }
        let rightCount = count - leftCount
        guard leftCount >= rowsPerLeaf else { continue }
        guard rightCount >= rowsPerLeaf else { break }
        var (leftSquare, rightSquare) = (0.0, 0.0)
        for output in 0..<outputs {
          let rest = total[output] - left[output]
          leftSquare += left[output] * left[output]
          rightSquare += rest * rest
        }
        let score = leftSquare / Double(leftCount) + rightSquare / Double(rightCount)
        if score > (best?.score ?? -.infinity) { best = (score, place, missingLeft) }
      }
    }
    guard let best else { return nil }
    var goesLeft = [Bool](repeating: false, count: 256)
    let chosen = order[...best.place]
    // Where only missing cells go right, every number goes left, whether it occurs here or not.
    let lastLeft = chosen.count == order.count ? column.codeCount - 1 : chosen.last ?? 0
    if column.isCategorical {
      for code in chosen { goesLeft[code] = true }
    } else {
      for code in 0...lastLeft { goesLeft[code] = true }
    }
    let leftCount = chosen.reduce(0) { $0 + histogram.counts[$1] }
    goesLeft[missing] = hasMissing ? best.missingLeft : 2 * leftCount >= count
    return Found(score: best.score, goesLeft: goesLeft, lastLeft: lastLeft)
  }

  private func sums(_ histogram: Histogram, _ code: Int) -> [Double] {
    Array(histogram.sums[code * outputs..<(code + 1) * outputs])
  }

  /// Categories by the mean of the output that differs most between them: optimal for one output (Breiman et al.
  /// 1984, section 4.2.2), a good order for several.
  private func categoryOrder(_ histogram: Histogram, codes: Int) -> [Int] {
    let present = (0..<codes).filter { histogram.counts[$0] > 0 }
    var (widest, spread) = (0, -1.0)
    for output in 0..<outputs {
      let between = present.reduce(0.0) { sum, code in
        let value = histogram.sums[code * outputs + output]
        return sum + value * value / Double(histogram.counts[code])
      }
      let gain = between - total[output] * total[output] / Double(max(count, 1))
      if gain > spread { (widest, spread) = (output, gain) }
    }
    let means = present.map { histogram.sums[$0 * outputs + widest] / Double(histogram.counts[$0]) }
    return present.indices.sorted { (means[$0], present[$0]) < (means[$1], present[$1]) }.map { present[$0] }
  }
}
