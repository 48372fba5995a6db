// The page of any result: its figures, its tables, and where it comes from.

import Files
import Reports

/// A page made of whatever a command wrote.
struct ResultPage {
  let result: SavedResult

  /// The page of a folder of results, by what lies in it.
  /// - Throws: `FileError`, or `UsageError` for a folder without results.
  static func page(ofFolder folder: String) throws -> ReportPage {
    let result = try SavedResult(folder: folder)
    if let page = ComparisonPage(result)?.page { return page }
    if let page = AttributionPage(result)?.page { return page }
    if let page = ProbePage(result)?.page { return page }
    if let page = KeyValuePage(result)?.page { return page }
    if let page = DiscoveryPage(result)?.page { return page }
    if let page = ExplanationPage(result)?.page { return page }
    return try ResultPage(result: result).page()
  }

  /// Writes `report.html` beside the results.
  /// - Throws: as `page(ofFolder:)`.
  static func write(forFolder folder: String) throws {
    try page(ofFolder: folder).write(to: folder + "/report.html")
  }

  private func page() throws -> ReportPage {
    var sections: [ReportPage.Section] = []
    if let importance, let table = result.table("importance") {
      sections.append(
        ReportPage.Section(
          "Importance", [importance, table.dataTable(id: "importance", caption: "importance.csv").html]))
    }
    if let curve { sections.append(ReportPage.Section("How much circuits keep", [curve])) }
    let pictures = try result.pictures.map { name in
      figure(svg: try readText(at: result.folder + "/" + name), caption: name)
    }
    if !pictures.isEmpty { sections.append(ReportPage.Section("Figures", pictures)) }
    for name in result.tableNames where name != "importance" || importance == nil {
      guard let table = result.table(name), !table.rows.isEmpty else { continue }
      let title = name.replacing("-", with: " ").replacing("_", with: " ")
      sections.append(
        ReportPage.Section(
          title.prefix(1).uppercased() + title.dropFirst(),
          [table.dataTable(id: name, caption: name + ".csv").html]))
    }
    sections.append(ReportPage.Section("Where this comes from", [result.provenance]))
    let subject = [result.fact("task"), result.fact("target")].compactMap { $0 }.first
    return ReportPage(
      title: ["headlamp \(result.command)", subject].compactMap { $0 }.joined(separator: ": "), lead: [],
      sections: sections)
  }

  /// faithfulness.csv as a curve.
  private var curve: HTML? {
    guard let table = result.table("faithfulness"), table.place(of: "share") != nil else { return nil }
    let points = table.rows.indices.compactMap { row in
      table.number(row, "edges").flatMap { edges in
        table.number(row, "faithfulness").map { (x: edges, y: $0) }
      }
    }
    guard points.count > 1 else { return nil }
    return figure(
      LineChart(
        title: "Faithfulness by size", xTitle: "edges kept", yTitle: "f",
        series: [LineChart.Series("circuit", points)]
      ), caption: "The share of the metric that the largest edges keep by themselves.")
  }

  /// importance.csv as bars.
  private var importance: HTML? {
    guard let table = result.table("importance"),
      let name = ["feature", "column"].first(where: { table.place(of: $0) != nil }),
      let measure = ["importance", "mean_abs_shap", "score"].first(where: { table.place(of: $0) != nil })
    else { return nil }
    let bars = table.rows.indices.prefix(25).compactMap { row -> BarChart.Bar? in
      guard let value = table.number(row, measure) else { return nil }
      let low = ["\(measure)_low", "low"].compactMap { table.number(row, $0) }.first
      let high = ["\(measure)_high", "high"].compactMap { table.number(row, $0) }.first
      let interval = low.flatMap { low in high.flatMap { $0 >= low ? low...$0 : nil } }
      return BarChart.Bar(table.text(row, name), value, interval: interval)
    }
    guard !bars.isEmpty else { return nil }
    return figure(
      BarChart(title: "Importance of features", unit: measure.replacing("_", with: " "), bars: bars),
      caption: "The most important features, with intervals where there are any.")
  }
}
