// How good the black box is: measures, calibration, confusion, and groups of rows.

import Files
import Reports

/// Figures of summary.json, calibration.csv, confusion.csv and groups.csv.
struct QualityFigures {
  let result: SavedResult

  /// Whether what is predicted is a quantity.
  var isQuantity: Bool {
    result.summary["black_box"]?["r2"] != nil || (result.table("confusion") == nil && isRegression)
  }

  private var isRegression: Bool {
    result.table("groups").map { $0.text(0, "measure") == "mean_absolute_error" } ?? false
  }

  var content: [HTML] {
    [measures, calibration, confusion, groups, stability].compactMap { $0 }
  }

  private var measures: HTML? {
    guard let members = result.summary["black_box"]?.members else { return nil }
    let rows = members.compactMap { member -> [DataTable.Cell]? in
      guard let value = member.value["value"]?.anyNumber else { return nil }
      return [
        DataTable.Cell(member.key.replacing("_", with: " ")), DataTable.Cell(value),
        DataTable.Cell(member.value["low"]?.anyNumber), DataTable.Cell(member.value["high"]?.anyNumber),
      ]
    }
    guard !rows.isEmpty else { return nil }
    return DataTable(
      id: "quality", caption: "On held-out rows, with 95 % intervals over rows drawn again",
      header: ["measure", "value", "low", "high"], rows: rows
    ).html
  }

  private var calibration: HTML? {
    guard let table = result.table("calibration"), table.rows.count > 1 else { return nil }
    let points = table.rows.indices.compactMap { row -> (x: Double, y: Double, low: Double, high: Double)? in
      guard let x = table.number(row, "mean_predicted"), let y = table.number(row, "observed") else {
        return nil
      }
      let (low, high) = (table.number(row, "observed_low") ?? y, table.number(row, "observed_high") ?? y)
      return (x, y, min(low, high), max(low, high))
    }
    let output = table.text(0, "output")
    let ends = points.flatMap { [$0.x, $0.y] }
    let range = isQuantity ? (ends.min() ?? 0)...(ends.max() ?? 1) : 0...1
    var chart = LineChart(
      title: "Calibration", xTitle: isQuantity ? "predicted \(output)" : "predicted probability of \(output)",
      yTitle: isQuantity ? "mean \(output)" : "share of \(output)",
      series: [
        LineChart.Series(
          "held-out rows", points.map { (x: $0.x, y: $0.y) }, band: points.map { $0.low...$0.high })
      ],
      xRange: range, yRange: range)
    chart.showsDiagonal = true
    return figure(
      chart,
      caption:
        "Held-out rows in parts of one size, by prediction; dashed, what predictions promise. Bands are 95 % intervals."
    )
  }

  private var confusion: HTML? {
    guard let table = result.table("confusion"), !table.rows.isEmpty else { return nil }
    var names: [String] = []
    for row in table.rows.indices where !names.contains(table.text(row, "true_class")) {
      names.append(table.text(row, "true_class"))
    }
    guard names.count <= 20 else { return nil }
    var values = [[Double?]](repeating: .init(repeating: 0, count: names.count), count: names.count)
    for row in table.rows.indices {
      guard let truth = names.firstIndex(of: table.text(row, "true_class")),
        let predicted = names.firstIndex(of: table.text(row, "predicted_class"))
      else { continue }
      values[truth][predicted] = table.number(row, "rows")
    }
    let short = names.map { $0.count > 12 ? String($0.prefix(11)) + "…" : $0 }
    return figure(
      HeatMap(
        title: "Confusion matrix", rowTitle: "true", columnTitle: "predicted", rows: short, columns: short,
        values: values),
      caption: "Held-out rows by their true class (down) and the predicted one (across).")
  }

  private var groups: HTML? {
    guard let table = result.table("groups"), !table.rows.isEmpty else { return nil }
    return table.dataTable(
      id: "groups",
      caption: "Quality by groups of held-out rows: categories, or quarters of a number's values",
      columns: [
        "feature", "group", "held_out_rows", "measure", "value", "value_low", "value_high", "mean_predicted",
        "observed",
      ]
    ).html
  }

  private var stability: HTML? {
    guard let found = result.summary["stability"], let refits = found["refits"]?.wholeNumber, refits > 0
    else {
      return nil
    }
    let kept = (found["times_kept"]?.members ?? []).map { member in
      BarChart.Bar(member.key, member.value.anyNumber ?? 0)
    }
    guard !kept.isEmpty else { return nil }
    return figure(
      BarChart(title: "Kept by refits to redrawn rows", unit: "of \(refits) refits", bars: kept),
      caption:
        "How often each kept feature is kept again. Kept features overlap by \(jaccard(found["top_k_jaccard"])) (Jaccard); rules "
        + "agree on \(jaccard(found["rule_agreement"])) of held-out rows.")
  }

  private func jaccard(_ estimate: JSONValue?) -> String {
    estimate?["value"]?.anyNumber.map { $0.text(decimals: 2) } ?? "?"
  }
}
