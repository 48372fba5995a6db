// Figures of a discovery beside its ranking: contexts of codes, attention, direct contributions, curves, prompts.

import Files
import Reports

/// Figures of code-contexts.csv, attention.csv, direct.csv, heads-kept.csv, training.csv and prompts.csv.
struct DiscoveryFigures {
  let result: SavedResult

  /// Tokens of each prompt by kind, in order.
  private func tokens(_ kind: String) -> [Int: [String]] {
    guard let table = result.table("prompts") else { return [:] }
    var found: [Int: [String]] = [:]
    for row in table.rows.indices where table.text(row, "kind") == kind {
      guard let prompt = Int(table.text(row, "prompt")) else { continue }
      found[prompt, default: []].append(table.text(row, "token"))
    }
    return found
  }

  /// The prompts on which a code is active, its tokens marked, under `layer.head.code`.
  var contexts: [String: [HTML]] {
    guard let table = result.table("code-contexts") else { return [:] }
    var found: [String: [HTML]] = [:]
    var (key, prompt): (String, String) = ("", "")
    var line: [(token: String, activation: Double)] = []
    func close() {
      guard !line.isEmpty else { return }
      let most = line.map(\.activation).max() ?? 0
      let words = line.map { word -> HTML in
        guard word.activation > 0, most > 0 else { return HTML(word.token + " ") }
        // Four depths of one colour; the figure itself is in the title.
        let depth = min(4, max(1, Int((4 * word.activation / most).rounded(.up))))
        return HTML([
          .element(
            "mark", ["class": "a\(depth)", "title": "\(word.activation.text(decimals: 3))"], word.token),
          HTML(" "),
        ])
      }
      found[key, default: []].append(.element("p", ["class": "context"], words))
      line = []
    }
    for row in table.rows.indices {
      let own = ["layer", "head", "code"].map { table.text(row, $0) }.joined(separator: ".")
      if own != key || table.text(row, "prompt") != prompt {
        close()
        (key, prompt) = (own, table.text(row, "prompt"))
      }
      line.append((table.text(row, "token"), table.number(row, "activation") ?? 0))
    }
    close()
    return found
  }

  /// Patterns of the best heads, one shown at a time.
  var attention: HTML? {
    guard let table = result.table("attention"), !table.rows.isEmpty else { return nil }
    let tokens = tokens("positive")
    var order: [String] = []
    var weights: [String: [[Double]]] = [:]
    var prompts: [String: Int] = [:]
    for row in table.rows.indices {
      guard let prompt = Int(table.text(row, "prompt")), let query = Int(table.text(row, "query")) else {
        continue
      }
      let name = "head \(table.text(row, "layer")).\(table.text(row, "head")), prompt \(prompt)"
      if weights[name] == nil {
        order.append(name)
        let length = tokens[prompt]?.count ?? 0
        weights[name] = .init(repeating: .init(repeating: 0, count: length), count: length)
        prompts[name] = prompt
      }
      guard let key = Int(table.text(row, "key")), weights[name]?.indices.contains(query) ?? false,
        weights[name]?.indices.contains(key) ?? false
      else { continue }
      weights[name]?[query][key] = table.number(row, "weight") ?? 0
    }
    let pieces = order.map { name in
      (
        title: name,
        content: figure(
          AttentionMap(
            title: "Attention of \(name)", tokens: prompts[name].flatMap { tokens[$0] } ?? [],
            weights: weights[name] ?? []),
          caption: "Queries down, keys across; the deeper, the more of its attention a token spends there.")
      )
    }
    return choice(of: "Pattern of", id: "attention", pieces)
  }

  /// What heads add to the answer by themselves.
  var direct: HTML? {
    guard let table = result.table("direct"), !table.rows.isEmpty else { return nil }
    var values: [Int: [Int: Double]] = [:]
    for row in table.rows.indices {
      guard let layer = Int(table.text(row, "layer")), let head = Int(table.text(row, "head")) else {
        continue
      }
      values[layer, default: [:]][head] = table.number(row, "direct")
    }
    let layers = values.keys.sorted()
    let width = (values.values.flatMap(\.keys).max() ?? 0) + 1
    return figure(
      HeatMap(
        title: "Direct logit attribution", rowTitle: "layer", columnTitle: "head",
        rows: layers.map(String.init), columns: (0..<width).map(String.init),
        values: layers.map { layer in (0..<width).map { values[layer]?[$0] } }),
      caption:
        "What each head adds to the logit difference by itself, without going through later layers; a mean over prompts."
    )
  }

  /// How much the best heads keep.
  var kept: HTML? {
    guard let table = result.table("heads-kept"), table.rows.count > 1 else { return nil }
    let points = table.rows.indices.compactMap { row in
      table.number(row, "heads").flatMap { x in table.number(row, "faithfulness").map { (x: x, y: $0) } }
    }
    return figure(
      LineChart(
        title: "Faithfulness of the best heads", xTitle: "heads kept", yTitle: "share of the metric",
        series: [LineChart.Series("best heads of this ranking", points)]),
      caption:
        "The share of the metric that the best heads keep while all others are replaced; MLPs and embeddings stay."
    )
  }

  /// The loss of each dictionary.
  var training: HTML? {
    guard let table = result.table("training"), !table.rows.isEmpty else { return nil }
    var names: [String] = []
    for row in table.rows.indices where !names.contains(table.text(row, "dictionary")) {
      names.append(table.text(row, "dictionary"))
    }
    let series = names.map { name in
      LineChart.Series(
        "dictionary \(name)",
        table.rows.indices.filter { table.text($0, "dictionary") == name }.compactMap { row in
          table.number(row, "step").flatMap { x in table.number(row, "loss").map { (x: x, y: $0) } }
        })
    }
    return figure(
      LineChart(title: "Training of the dictionaries", xTitle: "step", yTitle: "loss", series: series),
      caption: "Mean squared error of reconstructed head outputs, for outputs of mean squared length 1.")
  }

  /// The first prompts, each with what replaces it.
  var prompts: HTML? {
    let (positive, negative) = (tokens("positive"), tokens("negative"))
    guard !positive.isEmpty else { return nil }
    let rows = positive.keys.sorted().map { prompt in
      [
        DataTable.Cell(prompt), DataTable.Cell((positive[prompt] ?? []).joined(separator: " ")),
        DataTable.Cell((negative[prompt] ?? []).joined(separator: " ")),
      ]
    }
    return DataTable(
      id: "prompts", caption: "The first prompts", header: ["prompt", "positive", "its negative"], rows: rows
    ).html
  }
}
