// How a prediction follows each kept feature, drawn from effects.csv and individual-effects.csv.

import Reports

/// A figure for each feature.
struct EffectFigures {
  let result: SavedResult

  var content: [HTML] {
    guard let table = result.table("effects"), !table.rows.isEmpty else { return [] }
    let output = table.text(0, "output")
    let rowsOf = Dictionary(grouping: table.rows.indices) { table.text($0, "feature") }
    var names: [String] = []
    for row in table.rows.indices where names.last != table.text(row, "feature") {
      names.append(table.text(row, "feature"))
    }
    let figures = names.map { name -> HTML in
      let rows = rowsOf[name] ?? []
      return rows.contains { table.number($0, "number") == nil }
        ? categories(name, output, table, rows) : curve(name, output, table, rows)
    }
    return [
      .paragraph(
        "Partial dependence is the mean prediction with the feature set to a value in all rows; grey lines are single rows. "
          + "Accumulated local effects count only changes between neighbouring values, so that combinations that do not "
          + "occur weigh less; they are shown about the same mean."),
      .element("div", ["class": "figures"], figures),
    ]
  }

  private func curve(_ name: String, _ output: String, _ table: CSVRows, _ rows: [Int]) -> HTML {
    func points(_ column: String, plus shift: Double = 0) -> [(x: Double, y: Double)] {
      rows.compactMap { row in
        table.number(row, "number").flatMap { x in table.number(row, column).map { (x: x, y: $0 + shift) } }
      }
    }
    let dependence = points("partial_dependence")
    let shares = rows.map { table.number($0, "share_of_rows") ?? 0 }
    let mean =
      zip(dependence, shares).reduce(0) { $0 + $1.0.y * $1.1 } / max(1e-12, shares.reduce(0, +))
    var series = [LineChart.Series("partial dependence", dependence)]
    let accumulated = points("accumulated_local_effect", plus: mean)
    if !accumulated.isEmpty { series.append(LineChart.Series("accumulated local effects", accumulated)) }
    var chart = LineChart(
      title: "Effect of \(name)", xTitle: name, yTitle: "prediction of \(output)", series: series)
    chart.background = individual(name)
    return figure(chart, caption: "How the prediction of \(output) follows \(name).")
  }

  private func individual(_ name: String) -> [[(x: Double, y: Double)]] {
    guard let table = result.table("individual-effects") else { return [] }
    var lines: [[(x: Double, y: Double)]] = []
    var last = ""
    for row in table.rows.indices where table.text(row, "feature") == name {
      guard let x = table.number(row, "number"), let y = table.number(row, "prediction") else { continue }
      if table.text(row, "row") != last || lines.isEmpty { lines.append([]) }
      last = table.text(row, "row")
      lines[lines.count - 1].append((x, y))
    }
    return lines
  }

  private func categories(_ name: String, _ output: String, _ table: CSVRows, _ rows: [Int]) -> HTML {
    let bars = rows.compactMap { row in
      table.number(row, "partial_dependence").map { BarChart.Bar(table.text(row, "value"), $0) }
    }
    return figure(
      BarChart(title: "Effect of \(name)", unit: "mean prediction of \(output)", bars: bars),
      caption:
        "The mean prediction of \(output) with \(name) set to each category in all rows, the commonest first."
    )
  }
}
