// The page of headlamp probe: where a field can be read, how surely, and with how many examples.

import Files
import Reports

/// A page about places that were probed.
struct ProbePage {
  let result: SavedResult
  let probes: CSVRows

  init?(_ result: SavedResult) {
    guard let probes = result.table("probes"), probes.place(of: "bayes_accuracy") != nil, !probes.rows.isEmpty
    else { return nil }
    self.result = result
    self.probes = probes
  }

  var page: ReportPage {
    var sections = [ReportPage.Section("Where it can be read", maps)]
    if let curves { sections.append(ReportPage.Section("With how many examples", curves)) }
    if let directions = result.table("directions"), !directions.rows.isEmpty {
      sections.append(
        ReportPage.Section(
          "What directions say",
          [
            directions.dataTable(
              id: "directions", caption: "Tokens whose logits a probe's direction raises and lowers most"
            ).html
          ]))
    }
    sections.append(
      ReportPage.Section(
        "All places", [probes.dataTable(id: "probes", caption: "Held-out accuracy of every place").html]))
    sections.append(ReportPage.Section("Where this comes from", [result.provenance]))
    let target = result.fact("target") ?? "a field"
    return ReportPage(
      title: "Which heads know the \(target)? — \(result.fact("model") ?? "a model")", lead: lead,
      sections: sections)
  }

  private var lead: [String] {
    let rows = probes.rows.indices
    let above = rows.count {
      (probes.number($0, "accuracy_low") ?? 0) > (probes.number($0, "majority") ?? 1)
    }
    var lines = [
      "\(above) of \(rows.count) places are above the commonest class by their 95 % interval, on held-out prompts."
    ]
    if let control = result.fact("control") { lines.append("Control task: \(control).") }
    return lines
  }

  /// A place's gain over the commonest class: heads by layer, and layers by position where there are any.
  private var maps: [HTML] {
    let positions = Set(probes.rows.indices.compactMap { Int(probes.text($0, "position")) })
    var pictures: [HTML] = []
    for measure in ["gain", "selectivity"] {
      if let map = headMap(measure) { pictures.append(map) }
    }
    if positions.count > 1, let map = positionMap(positions.sorted()) { pictures.append(map) }
    return pictures
  }

  private func value(_ row: Int, _ measure: String) -> Double? {
    guard measure == "gain" else { return probes.number(row, measure) }
    return probes.number(row, "accuracy").flatMap { accuracy in
      probes.number(row, "majority").map { accuracy - $0 }
    }
  }

  private func isAbove(_ row: Int) -> Bool {
    (probes.number(row, "accuracy_low") ?? 0) > (probes.number(row, "majority") ?? 1)
  }

  /// The best position of each head.
  private func headMap(_ measure: String) -> HTML? {
    let rows = probes.rows.indices.filter { probes.text($0, "kind") == "head" }
    let places = rows.map {
      (row: $0, layer: Int(probes.text($0, "layer")) ?? 0, head: Int(probes.text($0, "head")) ?? 0)
    }.filter { (0..<10_000).contains($0.layer) && (0..<10_000).contains($0.head) }
    let (layers, width) = ((places.map(\.layer).max() ?? 0) + 1, (places.map(\.head).max() ?? 0) + 1)
    var values = [[Double?]](repeating: .init(repeating: nil, count: width), count: layers)
    var outlined: Set<[Int]> = []
    for place in places {
      guard let value = value(place.row, measure) else { continue }
      values[place.layer][place.head] = max(value, values[place.layer][place.head] ?? -.infinity)
      if isAbove(place.row) { outlined.insert([place.layer, place.head]) }
    }
    guard values.contains(where: { $0.contains { $0 != nil } }) else { return nil }
    let what = measure == "gain" ? "accuracy above the commonest class" : "selectivity"
    return figure(
      HeatMap(
        title: "Heads by \(what)", rowTitle: "layer", columnTitle: "head",
        rows: (0..<layers).map(String.init),
        columns: (0..<width).map(String.init), values: values, outlined: outlined),
      caption: measure == "gain"
        ? "Each cell is a head, at its best position: held-out accuracy of logistic regression less the share of the "
          + "commonest class. Outlined: above it by the 95 % interval."
        : "The same probes: accuracy less that on the control task, random classes that can only be learned by heart."
    )
  }

  /// Layers by position.
  private func positionMap(_ positions: [Int]) -> HTML? {
    let rows = probes.rows.indices.filter { probes.text($0, "kind") == "layer" }
    let places = Dictionary(uniqueKeysWithValues: positions.enumerated().map { ($1, $0) })
    let layers = rows.compactMap { Int(probes.text($0, "layer")) }.filter { (0..<10_000).contains($0) }
    var values = [[Double?]](
      repeating: .init(repeating: nil, count: positions.count), count: (layers.max() ?? 0) + 1)
    var outlined: Set<[Int]> = []
    for row in rows {
      guard let layer = Int(probes.text(row, "layer")), values.indices.contains(layer),
        let column = Int(probes.text(row, "position")).flatMap({ places[$0] })
      else { continue }
      values[layer][column] = value(row, "gain")
      if isAbove(row) { outlined.insert([layer, column]) }
    }
    return figure(
      HeatMap(
        title: "Layers by position", rowTitle: "layer", columnTitle: "position from the end",
        rows: values.indices.map(String.init), columns: positions.map(String.init), values: values,
        outlined: outlined),
      caption:
        "Each cell is what a layer's heads write together at one position: accuracy above the commonest class."
    )
  }

  /// Learning curves of the best head and of all heads.
  private var curves: [HTML]? {
    guard let table = result.table("learning-curves") else { return nil }
    let heads = table.rows.indices.filter { table.text($0, "kind") == "head" }
    guard !heads.isEmpty else { return nil }
    func key(_ table: CSVRows, _ row: Int) -> String {
      ["layer", "head", "position"].map { table.text(row, $0) }.joined(separator: " ")
    }
    let best = probes.rows.indices.filter { probes.text($0, "kind") == "head" }
      .max { (probes.number($0, "accuracy") ?? 0) < (probes.number($1, "accuracy") ?? 0) }
    var pictures = [picture(of: heads, in: table, title: "Learning curves, mean over heads")]
    if let best {
      let own = heads.filter { key(table, $0) == key(probes, best) }
      let position = probes.text(best, "position")
      let name =
        "\(probes.text(best, "layer")).\(probes.text(best, "head"))"
        + (position.isEmpty ? "" : " at \(position)")
      pictures.append(picture(of: own, in: table, title: "Learning curves of head \(name)"))
    }
    return [
      .paragraph(
        "Held-out accuracy by the number of training prompts. Naive Bayes needs about as many as the logarithm of the "
          + "width, logistic regression about as many as the width (Ng & Jordan 2002; Zheng et al. 2023)."),
      .element("div", ["class": "figures"], pictures),
    ]
  }

  private func picture(of rows: [Int], in table: CSVRows, title: String) -> HTML {
    let sizes = Set(rows.compactMap { table.number($0, "training_prompts") }).filter { $0 > 0 }.sorted()
    func series(_ name: String, _ column: String) -> LineChart.Series {
      LineChart.Series(
        name,
        sizes.map { size in
          let values = rows.filter { table.number($0, "training_prompts") == size }
            .compactMap { table.number($0, column) }
          return (x: size, y: values.reduce(0, +) / Double(max(1, values.count)))
        })
    }
    return figure(
      LineChart(
        title: title, xTitle: "training prompts", yTitle: "accuracy",
        series: [series("logistic regression", "accuracy"), series("naive Bayes", "bayes_accuracy")]),
      caption: title + ".")
  }
}
