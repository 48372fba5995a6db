// The surrogate: its tree drawn, its rules, and what its size is worth.

import Files
import Reports

/// Figures of surrogate.json, what-if.json and rules.csv.
struct SurrogateFigures {
  let result: SavedResult

  var content: [HTML] {
    var parts: [HTML] = []
    if let surrogate = result.summary["surrogate"] {
      let form = (surrogate["form"]?.text ?? "").replacing("-", with: " ")
      let agreement = surrogate["label_agreement"]?["value"]?.anyNumber
      let determination = surrogate["r2"]?["value"]?.anyNumber
      parts.append(
        .paragraph(
          "A \(form) stands in for the black box. On held-out rows "
            + [
              agreement.map { "it says the same in \((100 * $0).text(decimals: 1)) %" },
              determination.map { "R² of its outputs is \($0.text(decimals: 3))" },
            ].compactMap { $0 }.joined(separator: "; ") + "."))
    }
    if let tree { parts.append(tree) }
    if let curve { parts.append(curve) }
    if let rules = result.table("rules"), !rules.rows.isEmpty {
      parts.append(
        rules.dataTable(
          id: "rules", caption: "Its rules, counted on held-out rows",
          columns: [
            "outcome", "rule", "covered", "coverage", "precision", "precision_low", "precision_high", "lift",
          ]
        ).html)
    }
    return parts
  }

  /// The tree, where the surrogate is one of a size that can be looked at.
  private var tree: HTML? {
    guard result.summary["surrogate"]?["form"]?.text == "tree", let file = result.json("what-if"),
      let drawing = TreeReading(file)?.diagram(most: 40)
    else { return nil }
    return figure(
      drawing, caption: "Questions from the left; the answer with its probability, or the predicted quantity."
    )
  }

  private var curve: HTML? {
    guard let points = result.json("surrogate")?["fidelity_by_size"]?.elements, points.count > 1 else {
      return nil
    }
    var forms: [String] = []
    for form in points.compactMap({ $0["form"]?.text }) where !forms.contains(form) { forms.append(form) }
    let series = forms.map { form -> LineChart.Series in
      let own = points.filter { $0["form"]?.text == form }
      let found = own.compactMap { point -> (x: Double, y: Double, error: Double)? in
        guard let size = point["size"]?.anyNumber, let fidelity = point["r2"]?.anyNumber else { return nil }
        return (size, fidelity, point["standard_error"]?.anyNumber ?? 0)
      }.sorted { $0.x < $1.x }
      return LineChart.Series(
        form.replacing("-", with: " "), found.map { (x: $0.x, y: $0.y) },
        band: found.map { $0.y - abs($0.error)...$0.y + abs($0.error) })
    }
    return figure(
      LineChart(
        title: "Fidelity against size", xTitle: "leaves, rules or trees", yTitle: "R² to the black box",
        series: series),
      caption: "Cross-validated on training rows; bands are a standard error to either side.")
  }
}

/// A tree of what-if.json in words.
struct TreeReading {
  private let features: [JSONValue]
  private let outputs: [String]
  private let tree: JSONValue

  /// The only tree of the surrogate; nil where it has several.
  init?(_ file: JSONValue) {
    guard let trees = file["surrogate"]?["trees"]?.elements, trees.count == 1,
      let features = file["features"]?.elements
    else { return nil }
    self.features = features
    outputs = (file["outputs"]?.elements ?? []).compactMap(\.text)
    tree = trees[0]
  }

  /// The drawing; nil for more leaves than that.
  func diagram(most: Int) -> TreeDiagram? {
    let nodes = tree["f"]?.elements ?? []
    guard nodes.count > 1, nodes.count <= 2 * most, let root = node(0, depth: 0) else { return nil }
    return TreeDiagram(title: "The surrogate tree", root: root)
  }

  private func whole(_ key: String, _ index: Int) -> Int? {
    guard let list = tree[key]?.elements, list.indices.contains(index) else { return nil }
    return list[index].wholeNumber
  }

  private func node(_ index: Int, depth: Int) -> TreeDiagram.Node? {
    guard depth < 64, let feature = whole("f", index), let left = whole("l", index),
      let right = whole("r", index)
    else { return nil }
    if feature < 0 { return answer(left) }
    guard features.indices.contains(feature), let yes = node(left, depth: depth + 1),
      let no = node(right, depth: depth + 1), let asked = tree["t"]?.elements?[index]
    else { return nil }
    let name = features[feature]["name"]?.text ?? ""
    guard let set = asked.elements else {
      return .question("\(name) ≤ \(numberText(asked.anyNumber ?? .nan))", yes: yes, no: no)
    }
    let known = (features[feature]["categories"]?.elements ?? []).compactMap(\.text)
    let names = set.compactMap(\.wholeNumber).compactMap { known.indices.contains($0) ? known[$0] : nil }
    let more = names.count > 4 ? " or \(names.count - 4) more" : ""
    return .question("\(name) is " + names.prefix(4).joined(separator: " or ") + more, yes: yes, no: no)
  }

  private func answer(_ first: Int) -> TreeDiagram.Node? {
    let width = max(1, outputs.count)
    guard let values = tree["v"]?.elements, first >= 0, first + width <= values.count else { return nil }
    let own = values[first..<first + width].map { $0.anyNumber ?? 0 }
    guard width > 1 else { return .answer(numberText(own[0]), colour: 2) }
    let best = own.indices.max { own[$0] < own[$1] } ?? 0
    return .answer("\(outputs[best]) \(own[best].text(decimals: 2))", colour: best)
  }
}
