// How a graph's nodes follow each other in their rows, by Graphviz where it is installed.

import Files
import Reports

extension LayeredGraph {
  /// The graph with its rows ordered by Graphviz's `dot`, which keeps edges from crossing; as it was where `dot` is not
  /// there or does not answer. Distances are ours: `dot` leaves room for every edge, and such drawings are very wide.
  func orderedByGraphviz() -> LayeredGraph {
    var text = "digraph {\n  rankdir=BT; nodesep=0.2; ranksep=0.75;\n"
    text += "  node [shape=box, fixedsize=true, width=0.81, height=0.33];\n"
    let numbers = Dictionary(uniqueKeysWithValues: nodes.enumerated().map { ($1.name, $0) })
    let rows = Dictionary(grouping: nodes, by: \.row).sorted { $0.key < $1.key }.map(\.value)
    for row in rows {
      text += "  { rank=same; " + row.map { "n\(numbers[$0.name] ?? 0);" }.joined(separator: " ") + " }\n"
    }
    // Rows follow one another even where no edge joins them.
    for (below, above) in zip(rows, rows.dropFirst()) {
      text +=
        "  n\(numbers[below[0].name] ?? 0) -> n\(numbers[above[0].name] ?? 0) [style=invis, weight=0];\n"
    }
    for edge in edges {
      guard let from = numbers[edge.from], let to = numbers[edge.to] else { continue }
      text += "  n\(from) -> n\(to);\n"
    }
    guard
      let answer = try? runProgram(
        .words(["dot", "-Tplain"]), input: Array((text + "}\n").utf8), timeout: 20, outputLimit: 1 << 22),
      answer.ending == .exited(0)
    else { return self }
    var order: [String: Double] = [:]
    for line in String(decoding: answer.output, as: UTF8.self).split(separator: "\n") {
      let words = line.split(separator: " ")
      guard words.first == "node", words.count >= 4, let number = Int(words[1].dropFirst()),
        nodes.indices.contains(number), let x = Double(words[2])
      else { continue }
      order[nodes[number].name] = x
    }
    guard order.count == nodes.count else { return self }
    var result = self
    result.order = order
    return result
  }
}
