// Importances as a table for people and as a file.

import Files
import Reports
import TabularExplainer

/// Named importances, the most important first.
struct ImportanceText {
  /// One feature, or a group of them.
  struct Entry {
    var name: String
    var value: Double
    var interval: Interval?
    /// Whether the surrogate keeps it; nil where no surrogate was fitted.
    var isKept: Bool?
  }

  /// The method's name.
  var method: String
  /// What the numbers are.
  var unit: String
  /// The entries, ranked.
  var entries: [Entry]
  /// How long the probe took, where that was measured.
  var seconds: Double?

  static let header = ["rank", "feature", "importance", "low", "high", "method", "kept"]

  /// The columns of `importance.csv`: all entries.
  var document: CSVDocument {
    var document = CSVDocument(header: Self.header)
    for (rank, entry) in entries.enumerated() {
      document.append([
        .integer(rank + 1), .text(entry.name), .number(entry.value),
        entry.interval.map { .number($0.low) } ?? .empty, entry.interval.map { .number($0.high) } ?? .empty,
        .text(method), entry.isKept.map { .boolean($0) } ?? .empty,
      ])
    }
    return document
  }

  /// The method, the ten most important features, and how long it took.
  func report(seconds: Double) -> JSONValue {
    .object([
      JSONMember("method", .string(method)), JSONMember("features", .integer(entries.count)),
      JSONMember("top", .array(entries.prefix(10).map { .string($0.name) })),
      JSONMember("seconds", .number(seconds)),
    ])
  }

  /// The `top` most important entries and the `bottom` least important ones of the others.
  func lines(top: Int, bottom: Int) -> [String] {
    // In a small table the least important ones are told apart from the others all the same.
    let shown = entries.prefix(min(top, max(min(top, 5), entries.count - bottom)))
    let rest = entries.dropFirst(shown.count).suffix(bottom)
    let width = (shown + rest).map { min($0.name.count, 60) }.max() ?? 0
    let most = max(entries.map { abs($0.value) }.max() ?? 0, .leastNormalMagnitude)
    func line(_ rank: Int, _ entry: Entry) -> String {
      let bar = String(repeating: "█", count: Int((20 * max(0, entry.value) / most).rounded()))
      let interval =
        entry.interval.map { "\($0.low.text(decimals: 4)) to \($0.high.text(decimals: 4))" } ?? ""
      let name = entry.name.count > 60 ? entry.name.prefix(59) + "…" : entry.name[...]
      return "  \("\(rank)".leftPadded(to: 5))  \(String(name).padded(to: width))  "
        + "\(entry.value.text(decimals: 4).leftPadded(to: 8))  \(interval.padded(to: 20))  \(bar)"
        + (entry.isKept == true ? " kept" : "")
    }
    var lines = ["importance  by \(method): \(unit)"]
    lines += shown.enumerated().map { line($0 + 1, $1) }
    if !rest.isEmpty {
      lines.append("least important")
      lines += rest.enumerated().map { line(entries.count - rest.count + $0 + 1, $1) }
    }
    return lines
  }
}

extension ImportanceText {
  /// The ranking that an explainer works with.
  init(_ explainer: Explainer) {
    let probed = explainer.probed
    let intervals = probed.importanceByRow.intervals(seed: explainer.options.seed)
    let kept = Set(explainer.choice.features)
    self.init(
      method: probed.importanceMethod,
      unit: "the mean over training rows, 95 % intervals over rows drawn again",
      entries: probed.ranking.map { feature in
        Entry(
          name: explainer.catalogue.names[feature], value: probed.importance[feature],
          interval: intervals[feature],
          isKept: kept.contains(feature))
      })
  }

  /// What a probe found.
  init(_ importance: FeatureImportance, unit: String) {
    self.init(
      method: importance.method, unit: unit,
      entries: importance.ranking.map { feature in
        Entry(
          name: importance.names[feature], value: importance.values[feature],
          interval: importance.intervals.map {
            Interval(low: $0[feature].lowerBound, high: $0[feature].upperBound)
          })
      })
  }

  /// What a probe found of groups.
  init(_ importance: GroupImportance) {
    self.init(
      method: "permutation", unit: ImportanceMethod.permutation.unit,
      entries: importance.ranking.map { group in
        Entry(
          name: importance.groups.names[group].joined(separator: " + "), value: importance.values[group],
          interval: Interval(
            low: importance.intervals[group].lowerBound, high: importance.intervals[group].upperBound))
      })
  }
}

extension ImportanceMethod {
  /// What the numbers of a probe are, for a heading.
  var unit: String {
    switch self {
    case .shap: "mean |SHAP| over held-out rows, 95 % intervals over rows drawn again"
    case .impurity: "share of what the splits gained on the training rows"
    case .permutation:
      "fall of accuracy (a quantity: rise of the squared error), least and greatest of 10 shuffles"
    case .occlusion, .samplingShap, .integratedGradients, .gradientInput, .attention:
      "mean size over held-out rows, 95 % intervals over rows drawn again"
    }
  }
}
