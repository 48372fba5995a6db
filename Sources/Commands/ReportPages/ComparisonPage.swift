// The page of headlamp compare: every ranking beside measured effects.

import Files
import Reports

/// A page about rankings held against each other.
struct ComparisonPage {
  let result: SavedResult
  let cells: CSVRows

  init?(_ result: SavedResult) {
    guard let cells = result.table("comparison"), cells.place(of: "ranking") != nil else { return nil }
    self.result = result
    self.cells = cells
  }

  private var rankings: [String] {
    var names: [String] = []
    for row in cells.rows.indices where !names.contains(cells.text(row, "ranking")) {
      names.append(cells.text(row, "ranking"))
    }
    return names
  }

  private func mean(_ ranking: String, _ question: String, _ column: String) -> Double? {
    let values = cells.rows.indices.filter {
      cells.text($0, "ranking") == ranking && cells.text($0, "question") == question
    }.compactMap { cells.number($0, column) }
    return values.isEmpty ? nil : values.reduce(0, +) / Double(values.count)
  }

  var page: ReportPage {
    let questions = ["pair", "mean"].filter { question in
      cells.rows.indices.contains { cells.text($0, "question") == question }
    }
    let sections =
      questions.map { question in
        ReportPage.Section(
          question == "pair" ? "What carries the difference" : "What the task cannot do without",
          [table(question)]
            + [("trapezoid_auc", "AUC"), ("effect_correlation", "Spearman's ρ with effects")].map {
              column, name in
              let bars = rankings.compactMap { ranking in
                mean(ranking, question, column).map { BarChart.Bar(ranking, $0) }
              }
              return figure(
                BarChart(title: name, unit: name + ", mean over cells", bars: bars),
                caption: "\(name) of each ranking, judged by \(question); a mean over models and tasks.")
            })
      } + [
        ReportPage.Section(
          "Models and tasks",
          [
            cells.dataTable(
              id: "cells", caption: "Each ranking on each model and task",
              columns: [
                "model", "task", "accuracy", "ranking", "question", "trapezoid_auc", "average_precision",
                "effect_correlation", "head_cpr", "head_cmd", "seconds", "peak_memory_mib", "problem",
              ], limit: 3000
            ).html
          ])
      ]
    return ReportPage(
      title: "Rankings of heads, judged by what replacing heads does",
      lead: [
        "Effects were measured on prompts drawn with another seed than those ranked on. AUC: heads of at least 5 % of the metric "
          + "against the rest. ρ: with the sizes of all effects. CPR and CMD: over the share of best heads kept."
      ], sections: sections)
  }

  private func table(_ question: String) -> HTML {
    let columns = [
      ("trapezoid_auc", "AUC"), ("average_precision", "average precision"), ("effect_correlation", "ρ"),
      ("head_cpr", "CPR"), ("head_cmd", "CMD"), ("seconds", "s"), ("peak_memory_mib", "MiB"),
    ]
    let rows = rankings.filter { mean($0, question, "seconds") != nil }.map { ranking in
      [DataTable.Cell(ranking)]
        + columns.map {
          DataTable.Cell(mean(ranking, question, $0.0), decimals: $0.0 == "peak_memory_mib" ? 0 : 3)
        }
    }
    return DataTable(
      id: "by-\(question)", caption: "Means over models and tasks", header: ["ranking"] + columns.map(\.1),
      rows: rows
    ).html
  }
}
