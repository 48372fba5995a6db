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
}
