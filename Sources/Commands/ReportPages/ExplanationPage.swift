// The page of headlamp explain: rows, what the black box makes of features, and how far all of it can be trusted.

import Files
import Reports

/// A page about explained predictions.
struct ExplanationPage {
  let result: SavedResult
  let rows: CSVRows

  init?(_ result: SavedResult) {
    guard let rows = result.table("explanations"), rows.place(of: "surrogate_prediction") != nil else {
      return nil
    }
    self.result = result
    self.rows = rows
  }

  private static let shownRows = 10

  var page: ReportPage {
    let target = result.summary["table"]?["target"]?.text ?? "the prediction"
    let table = result.summary["table"]?["name"]?.text ?? "a table"
    let parts = [
      ("Predictions", rows.rows.indices.prefix(Self.shownRows).flatMap(prediction)),
      ("What if", result.json("what-if").map { [whatIfPanel($0)] } ?? []),
      ("Importance", importance),
      ("How the prediction follows each feature", EffectFigures(result: result).content),
      ("Features that act together", pairs),
      ("The surrogate", SurrogateFigures(result: result).content),
      ("Quality of the black box", QualityFigures(result: result).content),
      ("All explained rows", rows.rows.count > 1 ? [allRows] : []),
    ]
    let sections = parts.filter { !$0.1.isEmpty }.map { ReportPage.Section($0.0, $0.1) }
    return ReportPage(
      title: "Why did the black box say that? \(table): \(target)", lead: lead,
      sections: sections + [ReportPage.Section("Where this comes from", [result.provenance])])
  }

  private var lead: [String] {
    let table = result.summary["table"]
    let notes = (table?["notes"]?.elements ?? []).compactMap(\.text)
    let warnings = (result.summary["warnings"]?.elements ?? []).compactMap(\.text)
    var lines: [String] = []
    if let name = result.summary["black_box"]?["name"]?.text, let rows = table?["rows"]?.wholeNumber,
      let features = table?["features"]?.wholeNumber
    {
      lines.append("Black box: \(name); \(rows) rows, \(features) features.")
    }
    return lines + warnings.map { "Warning: \($0)." } + notes.map { "Note: \($0)" }
  }

  /// One row: the prediction and its rule in words, contributions as a waterfall, and what would have changed it.
  private func prediction(_ place: Int) -> [HTML] {
    let row = rows.text(place, "row")
    let outcome = rows.text(place, "outcome")
    func percent(_ column: String) -> String {
      rows.number(place, column).map { (100 * $0).text(decimals: 0) + " %" } ?? "?"
    }
    let isQuantity = QualityFigures(result: result).isQuantity
    let said =
      isQuantity
      ? "The black box predicts \(rows.number(place, "prediction").map { $0.text(significant: 5) } ?? "?") (\(outcome))"
      : "The black box says \(outcome), with probability \(rows.number(place, "prediction").map { $0.text(decimals: 3) } ?? "?")"
    var parts: [HTML] = [
      .element("h3", "Row \(row)" + (rows.text(place, "held_out") == "true" ? ", held out" : "")),
      .element(
        "p",
        [
          HTML(said + ", because "), .element("strong", rows.text(place, "rule")),
          HTML(
            ": that covers \(percent("coverage")) of held-out rows, and there it says so in \(percent("precision")) "
              + "(\(percent("precision_low")) to \(percent("precision_high")))."),
        ]),
    ]
    if let waterfall = waterfall(place) { parts.append(waterfall) }
    if let changes = counterfactuals(row) { parts.append(changes) }
    return parts
  }

  /// In the unit that contributions add up in: on the scale of probabilities they would run past 1.
  private func waterfall(_ place: Int) -> HTML? {
    guard let start = rows.number(place, "baseline") else { return nil }
    var bars: [BarChart.Bar] = []
    for number in 1...10 {
      let name = rows.text(place, "feature_\(number)")
      guard !name.isEmpty, let value = rows.number(place, "contribution_\(number)") else { continue }
      bars.append(BarChart.Bar(name, value))
    }
    guard !bars.isEmpty else { return nil }
    if let rest = rows.number(place, "contribution_rest"), rest != 0 {
      bars.append(BarChart.Bar("all others", rest))
    }
    let end = bars.reduce(start) { $0 + $1.value }
    let unit = rows.text(place, "contribution_unit")
    let ends = ["prediction_baseline", "prediction"].map { column in
      rows.number(place, column).map { $0.text(significant: 3) } ?? "?"
    }
    let scale = QualityFigures(result: result).isQuantity ? "the prediction" : "the probability"
    return figure(
      BarChart(
        title:
          "Row \(rows.text(place, "row")): from \(start.text(significant: 3)) to \(end.text(significant: 3))",
        unit: unit == "target" ? "predicted" : unit, bars: bars, start: start),
      caption:
        "Contributions (\(rows.text(place, "contribution_method").replacing("_", with: " "))) in \(unit), from what is predicted "
        + "when nothing is known of the row: \(scale) goes from \(ends[0]) to \(ends[1]).")
  }

  private func counterfactuals(_ row: String) -> HTML? {
    guard let table = result.table("counterfactuals") else { return nil }
    let own = table.rows.indices.filter { table.text($0, "row") == row }
    guard !own.isEmpty else { return nil }
    let cells = own.map { line in
      [
        DataTable.Cell(table.text(line, "counterfactual")), DataTable.Cell(table.text(line, "feature")),
        DataTable.Cell(table.text(line, "from")), DataTable.Cell(table.text(line, "to")),
        DataTable.Cell(table.text(line, "outcome")), DataTable.Cell(table.number(line, "prediction")),
        DataTable.Cell(table.text(line, "unlike_training_rows") == "true" ? "unlike any" : ""),
      ]
    }
    return DataTable(
      id: "changes-\(row)",
      caption: "What would have made row \(row) another outcome, checked on the black box",
      header: ["change", "feature", "from", "to", "outcome", "prediction", "among training rows"], rows: cells
    ).html
  }

  private var importance: [HTML] {
    guard let table = result.table("importance"), table.place(of: "importance") != nil else { return [] }
    let bars = table.rows.indices.prefix(20).compactMap { row -> BarChart.Bar? in
      guard let value = table.number(row, "importance") else { return nil }
      let (low, high) = (table.number(row, "low"), table.number(row, "high"))
      let interval = low.flatMap { low in high.flatMap { $0 >= low ? low...$0 : nil } }
      return BarChart.Bar(table.text(row, "feature"), value, interval: interval)
    }
    let method = table.text(0, "method").replacing("_", with: " ")
    var parts = [
      figure(
        BarChart(title: "Importance of features", unit: method, bars: bars),
        caption:
          "The most important features by \(method), with 95 % intervals over rows where there are any.")
    ]
    if let swarm { parts.append(swarm) }
    return parts + [
      table.dataTable(
        id: "importance", caption: "All features",
        columns: ["rank", "feature", "importance", "low", "high", "kept"]
      ).html
    ]
  }

  /// Contributions over held-out rows.
  private var swarm: HTML? {
    guard let table = result.table("held-out-contributions"), !table.rows.isEmpty else { return nil }
    var names: [String] = []
    var points: [String: [(x: Double, number: Double?)]] = [:]
    for row in table.rows.indices {
      let name = table.text(row, "feature")
      if points[name] == nil { names.append(name) }
      guard let value = table.number(row, "contribution") else { continue }
      points[name, default: []].append((value, table.number(row, "number")))
    }
    let lines = names.map { name -> Beeswarm.Line in
      let own = points[name] ?? []
      let sorted = own.compactMap(\.number).sorted()
      // By rank, so that a few large values do not make all others look alike.
      func level(_ number: Double?) -> Double? {
        guard let number, sorted.count > 1, sorted.first != sorted.last else { return nil }
        let below = Double(sorted.prefix { $0 < number }.count)
        let same = Double(sorted.count { $0 == number })
        return (below + (same - 1) / 2) / Double(sorted.count - 1)
      }
      return Beeswarm.Line(name, own.map { (x: $0.x, level: level($0.number)) })
    }
    return figure(
      Beeswarm(
        title: "Contributions on held-out rows",
        unit: "contribution to \(table.text(0, "output")), in \(table.text(0, "unit"))", lines: lines),
      caption: "A point is a row; its colour is the rank of the feature's value there.")
  }

  private var pairs: [HTML] {
    guard let table = result.table("interactions"), !table.rows.isEmpty else { return [] }
    let bars = table.rows.indices.prefix(12).compactMap { row in
      table.number(row, "mean_abs_interaction").map {
        BarChart.Bar(table.text(row, "feature_1") + " × " + table.text(row, "feature_2"), $0)
      }
    }
    return [
      figure(
        BarChart(
          title: "Pairs of features", unit: "mean |SHAP interaction|, \(table.text(0, "unit"))", bars: bars),
        caption:
          "Exact SHAP interaction values of the black box's trees, as a mean of sizes over \(table.text(0, "rows")) held-out "
          + "rows: what two features move together beyond what each moves alone.")
    ]
  }

  private var allRows: HTML {
    rows.dataTable(
      id: "rows", caption: "All explained rows",
      columns: [
        "row", "held_out", "outcome", "prediction", "surrogate_prediction", "rule", "coverage", "precision",
      ], limit: 1000
    ).html
  }
}
