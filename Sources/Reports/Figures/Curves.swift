// ROC and precision–recall curves from scores and labels.

/// The curves of a ranking against labels; items with one score enter together.
public struct RankingCurves: Sendable {
  /// False positive rate and recall at every score.
  public let roc: [(x: Double, y: Double)]
  /// Recall and precision at every score.
  public let precisionRecall: [(x: Double, y: Double)]

  /// The curves; nil where no item or every item is true.
  public init?(scores: [Double], isTrue: [Bool]) {
    let positives = isTrue.count { $0 }
    let negatives = isTrue.count - positives
    guard scores.count == isTrue.count, positives > 0, negatives > 0 else { return nil }
    let order = scores.indices.sorted { scores[$0] > scores[$1] }
    var (found, wrong) = (0, 0)
    var roc: [(x: Double, y: Double)] = [(0, 0)]
    var precisionRecall: [(x: Double, y: Double)] = []
    for (place, index) in order.enumerated() {
      if isTrue[index] { found += 1 } else { wrong += 1 }
      if place + 1 < order.count, scores[order[place + 1]] == scores[index] { continue }
      roc.append((Double(wrong) / Double(negatives), Double(found) / Double(positives)))
      precisionRecall.append(
        (Double(found) / Double(positives), Double(found) / Double(found + wrong)))
    }
    self.roc = roc
    self.precisionRecall = precisionRecall
  }
}
