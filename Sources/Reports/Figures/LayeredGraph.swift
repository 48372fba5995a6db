// A graph whose nodes lie in layers, with edges by strength, in SVG and as DOT.

/// Nodes in rows and edges between them.
public struct LayeredGraph: Figure {
  /// A node.
  public struct Node: Sendable, Hashable {
    /// Its name.
    public var name: String
    /// Its row, from 0 at the bottom.
    public var row: Int

    /// A node.
    public init(_ name: String, row: Int) {
      self.name = name
      self.row = row
    }
  }

  /// An edge.
  public struct Edge: Sendable, Hashable {
    /// Where it begins.
    public var from: String
    /// Where it ends.
    public var to: String
    /// What it carries, such as `q`; empty for nothing in particular.
    public var label: String
    /// Its strength, of either sign.
    public var weight: Double

    /// An edge.
    public init(from: String, to: String, label: String = "", weight: Double) {
      self.from = from
      self.to = to
      self.label = label
      self.weight = weight
    }
  }

  /// What the picture shows.
  public var title: String
  /// How nodes follow each other within their rows, where another program has ordered them; else they are ordered here.
  public var order: [String: Double]?
  /// The nodes.
  public var nodes: [Node]
  /// The edges, the strongest first.
  public var edges: [Edge]

  /// A graph of these edges and the nodes that they join; nodes without an edge are left out.
  public init(title: String, nodes: [Node], edges: [Edge]) {
    self.title = title
    let joined = Set(edges.flatMap { [$0.from, $0.to] })
    self.nodes = nodes.filter { joined.contains($0.name) }
    let known = Set(self.nodes.map(\.name))
    self.edges = edges.filter { known.contains($0.from) && known.contains($0.to) }
      .sorted { (abs($0.weight), $1.from, $1.to) > (abs($1.weight), $0.from, $0.to) }
  }

  private static let box = (width: 58.0, height: 24.0, across: 72.0, up: 78.0)

  /// Where nodes lie: rows in turn, each in the order of its neighbours' mean place (Sugiyama, Tagawa & Toda 1981).
  private var places: [String: (x: Double, y: Double)] {
    let rows = Dictionary(grouping: nodes, by: \.row).sorted { $0.key < $1.key }.map(\.value)
    let widest = rows.map(\.count).max() ?? 1
    var neighbours: [String: [String]] = [:]
    for edge in edges {
      neighbours[edge.from, default: []].append(edge.to)
      neighbours[edge.to, default: []].append(edge.from)
    }
    var x: [String: Double] = [:]
    func lay(_ row: [Node]) {
      for (column, node) in row.enumerated() {
        x[node.name] = (Double(widest - row.count) / 2 + Double(column)) * Self.box.across
      }
    }
    for row in rows {
      lay(
        order.map { order in row.sorted { (order[$0.name] ?? 0, $0.name) < (order[$1.name] ?? 0, $1.name) } }
          ?? row)
    }
    for _ in 0..<(order == nil ? 4 : 0) {
      for row in rows {
        let wanted = row.map { node -> (Node, Double) in
          let around = (neighbours[node.name] ?? []).compactMap { x[$0] }
          return (node, around.isEmpty ? x[node.name] ?? 0 : around.reduce(0, +) / Double(around.count))
        }
        lay(wanted.sorted { ($0.1, $0.0.name) < ($1.1, $1.0.name) }.map(\.0))
      }
    }
    var places: [String: (x: Double, y: Double)] = [:]
    for (level, row) in rows.enumerated() {
      for node in row {
        places[node.name] = (
          20 + (x[node.name] ?? 0), 34 + Double(rows.count - 1 - level) * Self.box.up
        )
      }
    }
    return places
  }

  /// The picture by itself.
  public var svg: String { svg(id: "graph") }

  /// The picture. Each edge carries its rank by strength, so that a page can show the strongest alone.
  public func svg(id: String) -> String {
    let places = places
    let box = Self.box
    let width = max(
      (places.values.map(\.x).max() ?? 0) + box.width + 20, 8 + textWidth(title, size: 14))
    let height = (places.values.map(\.y).max() ?? 0) + box.height + 20
    let largest = edges.map { abs($0.weight) }.max() ?? 1
    var text = """
      <svg xmlns="http://www.w3.org/2000/svg" id="\(escaped(id))" width="\(short(width))" height="\(short(height))" \
      viewBox="0 0 \(short(width)) \(short(height))" font-family="sans-serif" font-size="11" role="img" \
      aria-label="\(escaped(title))">
      <rect class="page" width="100%" height="100%" fill="#ffffff"/>
      <text class="ink" x="8" y="18" font-size="14" fill="#1a1a1a">\(escaped(title))</text>

      """
    for (rank, edge) in edges.enumerated() {
      guard let from = places[edge.from], let to = places[edge.to] else { continue }
      let (x1, y1) = (from.x + box.width / 2, from.y)
      let (x2, y2) = (to.x + box.width / 2, to.y + box.height)
      let bend = max(12, (y1 - y2) / 2)
      let colour = edge.weight < 0 ? 0 : 1
      let share = largest > 0 ? abs(edge.weight) / largest : 0
      text +=
        "<path class=\"edge s\(colour)\" data-rank=\"\(rank + 1)\" data-from=\"\(escaped(edge.from))\" "
        + "data-to=\"\(escaped(edge.to))\" data-roles=\"\(escaped(edge.label))\" d=\"M\(short(x1)) \(short(y1))C\(short(x1)) \(short(y1 - bend)) "
        + "\(short(x2)) \(short(y2 + bend)) \(short(x2)) \(short(y2))\" fill=\"none\" stroke=\"\(seriesColours[colour])\" "
        + "stroke-width=\"\(short(0.6 + 3.4 * share))\" opacity=\"\(short(0.35 + 0.6 * share))\"><title>"
        + "\(escaped(edge.from)) → \(escaped(edge.to))\(edge.label.isEmpty ? "" : " (\(escaped(edge.label)))"): "
        + "\(tickText((edge.weight * 1e4).rounded() / 1e4))</title></path>\n"
    }
    for node in nodes {
      guard let place = places[node.name] else { continue }
      text +=
        "<g class=\"node\" data-name=\"\(escaped(node.name))\"><rect class=\"page axis\" x=\"\(short(place.x))\" "
        + "y=\"\(short(place.y))\" width=\"\(short(box.width))\" height=\"\(short(box.height))\" rx=\"4\" fill=\"#ffffff\" "
        + "stroke=\"#d0d0d0\"/><text class=\"ink\" x=\"\(short(place.x + box.width / 2))\" "
        + "y=\"\(short(place.y + box.height / 2 + 4))\" text-anchor=\"middle\" fill=\"#1a1a1a\">\(escaped(node.name))"
        + "</text></g>\n"
    }
    return text + "</svg>\n"
  }

  /// The graph in Graphviz's language.
  public var dot: String? {
    var text = "digraph {\n  rankdir=BT;\n  node [shape=box];\n"
    for (_, row) in Dictionary(grouping: nodes, by: \.row).sorted(by: { $0.key < $1.key }) {
      text += "  { rank=same; " + row.map { dotText($0.name) + ";" }.joined(separator: " ") + " }\n"
    }
    for edge in edges {
      let label = edge.label.isEmpty ? "" : ", label=\(dotText(edge.label))"
      text += "  \(dotText(edge.from)) -> \(dotText(edge.to)) [weight=1, score=\(edge.weight)\(label)];\n"
    }
    return text + "}\n"
  }
}

/// A graph in a page, with a slider for how many edges are shown.
public func adjustableGraph(_ graph: LayeredGraph, id: String, shown: Int, caption: String) -> HTML {
  let most = max(1, graph.edges.count)
  return HTML([
    .element(
      "label",
      [
        HTML("Edges shown, the strongest first: "),
        HTML(
          trusted:
            "<input type=\"range\" id=\"\(escaped(id))-slider\" data-graph=\"\(escaped(id))\" min=\"1\" max=\"\(most)\" "
            + "value=\"\(min(shown, most))\"> <output id=\"\(escaped(id))-slider-count\">\(min(shown, most))</output>"
        ),
      ]),
    graph.edges.contains { !$0.label.isEmpty } ? roleBoxes(id) : HTML(""),
    HTML(figure(svg: graph.svg(id: id), caption: caption), figures: [SavedFigure(graph)]),
  ])
}

/// What edges are read as, each with a box to leave those edges out.
private func roleBoxes(_ id: String) -> HTML {
  .element(
    "fieldset", ["class": "roles"],
    [.element("legend", "Edges that are read as")]
      + [("q", "queries"), ("k", "keys"), ("v", "values")].map { role, name in
        .element(
          "label",
          [
            HTML(
              trusted: "<input type=\"checkbox\" checked data-role=\"\(role)\" data-of=\"\(escaped(id))\"> "),
            HTML(name),
          ])
      })
}
