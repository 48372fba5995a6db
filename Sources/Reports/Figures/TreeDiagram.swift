// A binary tree drawn from left to right, in SVG and as DOT.

/// Questions that lead from the left to answers at the right.
public struct TreeDiagram: Figure {
  /// A question with its two sides, or an answer.
  public indirect enum Node: Sendable {
    /// A question: "yes" leads up, "no" down.
    case question(String, yes: Node, no: Node)
    /// An answer, and which series' colour it has.
    case answer(String, colour: Int)
  }

  /// What the picture shows.
  public var title: String
  /// The first question.
  public var root: Node

  /// A drawing of a tree.
  public init(title: String, root: Node) {
    self.title = title
    self.root = root
  }

  private struct Placed {
    var text: String
    var depth: Int
    var y: Double
    var colour: Int?
    var parent: (place: Int, isYes: Bool)?
  }

  /// Every node with its height; leaves take a line each.
  private var placed: [Placed] {
    var nodes: [Placed] = []
    var line = 0.0
    func place(_ node: Node, depth: Int, parent: (place: Int, isYes: Bool)?) -> Double {
      let own = nodes.count
      switch node {
      case .answer(let text, let colour):
        nodes.append(Placed(text: text, depth: depth, y: line, colour: colour, parent: parent))
        line += 1
        return nodes[own].y
      case .question(let text, let yes, let no):
        nodes.append(Placed(text: text, depth: depth, y: 0, colour: nil, parent: parent))
        let (above, below) = (
          place(yes, depth: depth + 1, parent: (own, true)),
          place(no, depth: depth + 1, parent: (own, false))
        )
        nodes[own].y = (above + below) / 2
        return nodes[own].y
      }
    }
    _ = place(root, depth: 0, parent: nil)
    return nodes
  }

  /// The picture.
  public var svg: String {
    let nodes = placed
    let (left, top, step, gap) = (12.0, 34.0, 30.0, 44.0)
    var widths: [Int: Double] = [:]
    for node in nodes {
      widths[node.depth] = max(widths[node.depth] ?? 0, textWidth(brief(node.text), size: 11) + 12)
    }
    let depths = (widths.keys.max() ?? 0) + 1
    let starts = (0..<depths).map { depth in
      (0..<depth).reduce(left) { $0 + (widths[$1] ?? 0) + gap }
    }
    let width = max(
      (starts.last ?? 0) + (widths[depths - 1] ?? 0) + 12, 8 + textWidth(title, size: 14))
    let height = top + step * ((nodes.map(\.y).max() ?? 0) + 1) + 8
    func y(_ node: Placed) -> Double { top + step * (node.y + 0.5) }
    var text = """
      <svg xmlns="http://www.w3.org/2000/svg" width="\(short(width))" height="\(short(height))" \
      viewBox="0 0 \(short(width)) \(short(height))" font-family="sans-serif" font-size="11" role="img" \
      aria-label="\(escaped(title))">
      <rect class="page" width="100%" height="100%" fill="#ffffff"/>
      <text class="ink" x="8" y="18" font-size="14" fill="#1a1a1a">\(escaped(title))</text>

      """
    for node in nodes {
      let x = starts[node.depth]
      if let parent = node.parent {
        let above = nodes[parent.place]
        let from = starts[above.depth] + textWidth(brief(above.text), size: 11) + 12
        text +=
          "<path class=\"axis\" d=\"M\(short(from)) \(short(y(above)))L\(short(x)) \(short(y(node)))\" "
          + "stroke=\"#909090\" fill=\"none\"/>"
          + "<text class=\"ink\" x=\"\(short(x - 6))\" y=\"\(short(y(node) + (parent.isYes ? -5 : 13)))\" "
          + "text-anchor=\"end\" font-size=\"9\" fill=\"#333333\">\(parent.isYes ? "yes" : "no")</text>\n"
      }
      let box = textWidth(brief(node.text), size: 11) + 12
      let edge = node.colour.map { "class=\"page s\($0 % 6)\" stroke=\"\(seriesColours[$0 % 6])\"" }
      text +=
        "<rect \(edge ?? "class=\"page axis\" stroke=\"#909090\"") x=\"\(short(x))\" y=\"\(short(y(node) - 11))\" "
        + "width=\"\(short(box))\" height=\"22\" rx=\"4\" fill=\"#ffffff\" stroke-width=\"\(node.colour == nil ? 1 : 2)\">"
        + "<title>\(escaped(node.text))</title></rect>"
        + "<text class=\"ink\" x=\"\(short(x + 6))\" y=\"\(short(y(node) + 4))\" fill=\"#1a1a1a\" pointer-events=\"none\">"
        + "\(escaped(brief(node.text)))</text>\n"
    }
    return text + "</svg>\n"
  }

  private func brief(_ text: String) -> String { text.count > 44 ? text.prefix(43) + "…" : text }

  /// The tree in Graphviz's language.
  public var dot: String? {
    var text = "digraph {\n  rankdir=LR;\n  node [shape=box];\n"
    for (place, node) in placed.enumerated() {
      text += "  n\(place) [label=\(dotText(node.text))];\n"
      if let parent = node.parent {
        text += "  n\(parent.place) -> n\(place) [label=\"\(parent.isYes ? "yes" : "no")\"];\n"
      }
    }
    return text + "}\n"
  }
}

/// A text as Graphviz quotes it.
func dotText(_ text: String) -> String {
  var quoted = "\""
  for character in text {
    if character == "\"" || character == "\\" { quoted.append("\\") }
    quoted.append(character == "\n" ? " " : character)
  }
  return quoted + "\""
}
