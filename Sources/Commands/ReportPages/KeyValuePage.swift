// The page of headlamp probe --probe key-value: what is left of classes that were learned first, and which keys decide.

import Files
import Reports

/// A page about classes learned one after the other.
struct KeyValuePage {
  let result: SavedResult
  let places: CSVRows
  let phases: CSVRows

  init?(_ result: SavedResult) {
    guard let places = result.table("key-value"), let phases = result.table("phases"), !places.rows.isEmpty
    else { return nil }
    self.result = result
    self.places = places
    self.phases = phases
  }

  var page: ReportPage {
    var sections = [
      ReportPage.Section(
        "Class after class",
        [
          .paragraph(
            "After each phase, the share of held-out prompts that are found among those of all classes seen so far. A phase "
              + "shows prompts of its own classes only."),
          .element("div", ["class": "figures"], pictures),
        ])
    ]
    if let keys = result.table("keys"), !keys.rows.isEmpty {
      sections.append(
        ReportPage.Section(
          "Keys that decide",
          [
            keys.dataTable(
              id: "keys",
              caption:
                "The keys with the largest share of the margins by which classes win, of the best places"
            ).html
          ]))
    }
    sections.append(
      ReportPage.Section(
        "All places", [places.dataTable(id: "places", caption: "In the end, on held-out prompts").html]))
    sections.append(ReportPage.Section("Where this comes from", [result.provenance]))
    return ReportPage(
      title:
        "Learning the \(result.fact("target") ?? "field") class by class — \(result.fact("model") ?? "a model")",
      lead: [], sections: sections)
  }

  private var pictures: [HTML] {
    func key(_ table: CSVRows, _ row: Int) -> String {
      ["kind", "layer", "head", "position"].map { table.text(row, $0) }.joined(separator: " ")
    }
    let all = Array(phases.rows.indices)
    let best = places.rows.indices.max {
      (places.number($0, "accuracy") ?? 0) < (places.number($1, "accuracy") ?? 0)
    }
    var pictures = [picture(of: all, title: "Mean over places")]
    if let best {
      let own = all.filter { key(phases, $0) == key(places, best) }
      let name = ["kind", "layer", "head"].map { places.text(best, $0) }.filter { !$0.isEmpty }
      pictures.append(picture(of: own, title: "The best place: " + name.joined(separator: " ")))
    }
    return pictures
  }

  private func picture(of rows: [Int], title: String) -> HTML {
    let numbers = Set(rows.compactMap { phases.number($0, "phase") }).sorted()
    func series(_ name: String, _ column: String) -> LineChart.Series {
      LineChart.Series(
        name,
        numbers.map { number in
          let values = rows.filter { phases.number($0, "phase") == number }
            .compactMap { phases.number($0, column) }
          return (x: number, y: values.reduce(0, +) / Double(max(1, values.count)))
        })
    }
    return figure(
      LineChart(
        title: title, xTitle: "phase", yTitle: "accuracy on classes seen",
        series: [series("key-value bottleneck", "accuracy"), series("linear probe", "linear_accuracy")],
        yRange: 0...1),
      caption: title + ".")
  }
}
