// The page of headlamp discover: which heads, how sure, and which codes.

import Files
import Reports

/// A page about heads that were ranked.
struct DiscoveryPage {
  let result: SavedResult
  let heads: CSVRows

  init?(_ result: SavedResult) {
    guard let heads = result.table("heads"), heads.place(of: "layer") != nil, heads.place(of: "score") != nil,
      heads.place(of: "position") == nil
    else { return nil }
    self.result = result
    self.heads = heads
  }

  var page: ReportPage {
    let task = result.fact("task") ?? "a task"
    let model = result.fact("model") ?? "a model"
    var sections = [ReportPage.Section("Heads", [headMap, headTable])]
    if let curves { sections.append(ReportPage.Section("Agreement with the truth", curves)) }
    let figures = DiscoveryFigures(result: result)
    if let drawing = result.table("edges").flatMap({ CircuitDrawing(edges: $0).html }) {
      sections.append(
        ReportPage.Section(
          "The circuit",
          [
            .paragraph("The strongest edges by edge attribution patching (EAP), over the first prompts."),
            drawing,
          ]))
    }
    if let kept = figures.kept { sections.append(ReportPage.Section("How much the best heads keep", [kept])) }
    if let cards = cards(figures.contexts) { sections.append(ReportPage.Section("Codes", cards)) }
    if let attention = figures.attention {
      sections.append(ReportPage.Section("Where the best heads look", [attention]))
    }
    if let direct = figures.direct {
      sections.append(ReportPage.Section("What heads say directly", [direct]))
    }
    if let ablation { sections.append(ReportPage.Section("What the codes carry", ablation)) }
    if let pairs = result.table("pairs"), !pairs.rows.isEmpty {
      sections.append(
        ReportPage.Section(
          "Heads that go together",
          [
            pairs.dataTable(id: "pairs", caption: "Pairs of heads by what both carry", limit: 100).html
          ]))
    }
    if let nulls { sections.append(ReportPage.Section("Nulls", [nulls])) }
    if let prompts = figures.prompts { sections.append(ReportPage.Section("Prompts", [prompts])) }
    if let training = figures.training { sections.append(ReportPage.Section("Training", [training])) }
    sections.append(ReportPage.Section("Where this comes from", [result.provenance]))
    return ReportPage(title: "Which attention heads do \(task)? — \(model)", lead: lead, sections: sections)
  }

  private var lead: [String] {
    var lines: [String] = []
    if let question = result.fact("question") {
      lines.append(
        question == "pair"
          ? "Asked: what carries the difference between a prompt and its negative."
          : "Asked: what the task cannot do without.")
    }
    if let count = result.fact("heads_in_circuit") {
      lines.append("\(count) of \(heads.rows.count) heads are in the circuit.")
    }
    if result.fact("null_does_as_well") == "yes" {
      lines.append("A null baseline does as well: codes have added nothing to this ranking.")
    }
    return lines
  }

  private func place(_ row: Int) -> (layer: Int, head: Int) {
    (Int(heads.text(row, "layer")) ?? 0, Int(heads.text(row, "head")) ?? 0)
  }

  /// Shares of the metric where there are any, else scores.
  private var measure: String { heads.place(of: "share") == nil ? "score" : "share" }

  private var headMap: HTML {
    let places = heads.rows.indices.map(place)
    let (layers, width) = ((places.map(\.layer).max() ?? 0) + 1, (places.map(\.head).max() ?? 0) + 1)
    var values = [[Double?]](repeating: .init(repeating: nil, count: width), count: layers)
    var outlined: Set<[Int]> = []
    let mark = heads.place(of: "in_truth") != nil ? "in_truth" : "in_circuit"
    // A share is the change where the head is replaced; what a head is worth has the other sign.
    let sign = measure == "share" ? -1.0 : 1
    for row in heads.rows.indices {
      let (layer, head) = place(row)
      values[layer][head] = heads.number(row, measure).map { sign * $0 }
      if heads.text(row, mark) == "1" { outlined.insert([layer, head]) }
    }
    let what = measure == "share" ? "share of the metric that a head carries" : "score"
    let map = HeatMap(
      title: "Heads by \(what)", rowTitle: "layer", columnTitle: "head", rows: (0..<layers).map(String.init),
      columns: (0..<width).map(String.init), values: values, outlined: outlined)
    let outline =
      heads.place(of: mark) == nil
      ? ""
      : " Outlined: heads in \(mark == "in_truth" ? "the truth \(result.fact("truth") ?? "")" : "the circuit")."
    return figure(map, caption: "Each cell is a head: the \(what).\(outline)")
  }

  private var headTable: HTML {
    heads.dataTable(
      id: "heads",
      caption: measure == "share"
        ? "All heads, best first; share is the change where the head is replaced, negative where it helps"
        : "All heads, best first",
      columns: [
        "rank", "layer", "head", "share", "score", "attribution_low", "attribution_high", "rank_low",
        "rank_high",
        "in_top", "q_value", "in_circuit", "in_truth", "unique_positive", "unique_negative", "distinct_codes",
      ]
    ).html
  }

  private var curves: [HTML]? {
    guard heads.place(of: "in_truth") != nil else { return nil }
    let scores = heads.rows.indices.map { heads.number($0, "score") ?? 0 }
    let isTrue = heads.rows.indices.map { heads.text($0, "in_truth") == "1" }
    guard let curves = RankingCurves(scores: scores, isTrue: isTrue) else { return nil }
    var roc = LineChart(
      title: "ROC curve", xTitle: "false positive rate", yTitle: "recall",
      series: [LineChart.Series("this ranking", curves.roc)], xRange: 0...1, yRange: 0...1)
    roc.showsDiagonal = true
    let precision = LineChart(
      title: "Precision and recall", xTitle: "recall", yTitle: "precision",
      series: [LineChart.Series("this ranking", curves.precisionRecall)], xRange: 0...1, yRange: 0...1)
    let measures = (result.summary["measures"]?.members ?? []).map { member in
      let value = member.value["value"]?.anyNumber
      let interval = [member.value["low_over_prompts"], member.value["high_over_prompts"]].compactMap {
        $0?.anyNumber
      }
      return (
        name: member.key.replacing("_", with: " "),
        value: (value.map { $0.text(decimals: 3) } ?? "")
          + (interval.count == 2
            ? " [\(interval[0].text(decimals: 3)), \(interval[1].text(decimals: 3))] over prompts" : "")
      )
    }
    return [
      figure(
        roc, caption: "Heads in the truth against the others, by the ranking's score; dashed, chance."),
      figure(
        precision, caption: "The share of heads found that are in the truth, against the share found."),
      facts(measures),
    ]
  }

  private func cards(_ contexts: [String: [HTML]]) -> [HTML]? {
    guard let codes = result.table("codes"), !codes.rows.isEmpty else { return nil }
    let cards = codes.rows.indices.prefix(60).map { row in
      func percent(_ column: String) -> String {
        codes.number(row, column).map { (100 * $0).text(decimals: 0) + " %" } ?? "?"
      }
      func text(_ column: String) -> String { codes.text(row, column) }
      let uses =
        "\(percent("share_of_head")) of the head; active on \(percent("uses")) of prompts and "
        + "\(percent("replaced_uses")) of what replaces them"
      let strongest =
        "most at “\(text("strongest_token"))” (position \(text("strongest_position")) of prompt "
        + "\(text("strongest_prompt")))"
      let parts: [HTML] = [
        .element("h3", "Code \(text("code")) of head \(text("layer")).\(text("head"))"),
        .paragraph(uses),
        .paragraph(strongest),
        .paragraph("raises: \(text("promotes"))"),
        .paragraph("lowers: \(text("suppresses"))"),
      ]
      let place = "\(text("layer")).\(text("head")).\(text("code"))"
      return HTML.element("article", ["class": "card"], parts + (contexts[place] ?? []))
    }
    return [
      .paragraph(
        "The largest codes of the best heads, with the tokens whose logits their direction raises and lowers, and the "
          + "prompts on which they are most active: the deeper a token is marked, the more."
      ),
      .element("div", ["class": "cards"], Array(cards)),
    ]
  }

  private var ablation: [HTML]? {
    guard let table = result.table("code-ablation"), !table.rows.isEmpty else { return nil }
    var names: [String] = []
    for row in table.rows.indices where !names.contains(table.text(row, "removed")) {
      names.append(table.text(row, "removed"))
    }
    let series = names.map { name in
      let rows = table.rows.indices.filter { table.text($0, "removed") == name }
      return LineChart.Series(
        name, rows.map { (table.number($0, "dimensions") ?? 0, table.number($0, "metric_lost") ?? 0) },
        band: rows.map { row in
          let (low, high) = (
            table.number(row, "metric_lost_low") ?? 0, table.number(row, "metric_lost_high") ?? 0
          )
          return min(low, high)...max(low, high)
        })
    }
    let chart = LineChart(
      title: "Best codes taken away", xTitle: "dimensions replaced", yTitle: "share of the metric lost",
      series: series)
    return [
      figure(
        chart,
        caption:
          "What replacing the best codes costs, at equal numbers of dimensions: a code is one, a head as many as it is "
          + "wide. Bands are 95 % intervals over prompts.")
    ]
  }

  private var nulls: HTML? {
    guard let found = result.summary["nulls"]?.elements, !found.isEmpty else { return nil }
    let own: [DataTable.Cell] = [
      DataTable.Cell("this ranking"),
      DataTable.Cell(result.summary["measures"]?["trapezoid_auc"]?["value"]?.anyNumber),
      DataTable.Cell(result.number("effect_correlation")), DataTable.Cell(1.0),
      DataTable.Cell(result.number("codes_lost")),
    ]
    let rows = found.map { null in
      [
        DataTable.Cell(null["name"]?.text ?? ""), DataTable.Cell(null["trapezoid_auc"]?.anyNumber),
        DataTable.Cell(null["effect_correlation"]?.anyNumber),
        DataTable.Cell(null["rank_correlation"]?.anyNumber), DataTable.Cell(null["codes_lost"]?.anyNumber),
      ]
    }
    return DataTable(
      id: "nulls", caption: "The same by dictionaries that nobody trained, and without any",
      header: [
        "dictionary", "AUC", "ρ with effects", "ρ with this ranking",
        "metric lost with one head's dimensions",
      ],
      rows: [own] + rows
    ).html
  }
}
