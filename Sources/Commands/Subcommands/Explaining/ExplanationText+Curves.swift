// Importance and fidelity curves as small tables.

import Files
import Tables
import TabularExplainer

extension ExplanationText {
  /// Fidelity by number of features and by form and size.
  func curveLines() -> [String] {
    var lines: [String] = []
    if !explainer.choice.featureCurve.isEmpty {
      lines.append("fidelity (cross-validated R²) by number of features")
      lines += explainer.choice.featureCurve.map { row("\($0.features)", $0) }
      lines.append("")
    }
    lines.append("fidelity by form and size")
    lines += explainer.choice.sizeCurve.map { point in
      let size =
        point.plan.kind == .treeSum
        ? "\(point.plan.size) trees of \(point.plan.leavesPerTree) leaves" : "\(point.plan.size)"
      let mark = point.plan == explainer.choice.plan ? "  ← chosen" : ""
      return row("\(point.plan.kind.rawValue) \(size)", point) + mark
    }
    return lines
  }

  private func row(_ label: String, _ point: FidelityPoint) -> String {
    let bar = String(repeating: "█", count: max(0, Int((20 * point.determination).rounded())))
    return "  \(label.padded(to: 28)) \(point.determination.text(decimals: 3).leftPadded(to: 7))  \(bar)"
  }

  /// The most and least important features.
  func importanceLines() -> [String] {
    let probed = explainer.probed
    let ranking = probed.ranking
    // The least important five are told apart from the others where there are that many.
    let shown = Array(ranking.prefix(max(5, min(15, ranking.count - 5))))
    let width = shown.map { explainer.catalogue.names[$0].count }.max() ?? 0
    let most = max(probed.importance.max() ?? 0, .leastNormalMagnitude)
    let kept = explainer.choice.features.count
    var lines = ["importance  by \(probed.importanceMethod); the surrogate keeps the first \(kept)"]
    for (rank, feature) in shown.enumerated() {
      let value = probed.importance[feature]
      let bar = String(repeating: "█", count: Int((24 * value / most).rounded()))
      lines.append(
        "  \("\(rank + 1)".leftPadded(to: 2))  \(explainer.catalogue.names[feature].padded(to: width))  "
          + "\(value.text(decimals: 4))  \(bar)")
    }
    if ranking.count > shown.count {
      lines.append(
        "least important: " + ranking.suffix(5).map { explainer.catalogue.names[$0] }.joined(separator: ", "))
    }
    return lines
  }
}
