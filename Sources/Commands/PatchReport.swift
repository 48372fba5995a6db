// What patching found, as tables and pictures.

import CausalMethods
import Reports

/// The effects of one direction of patching.
struct PatchReport {
  /// One target's figures.
  struct Row {
    var name: String
    var summary: InterventionSummary
  }

  /// Two heads replaced together.
  struct Pair {
    var first: String
    var second: String
    var joint: InterventionSummary
    /// The sum of the two effects alone.
    var sum: Double
    /// Joint effect less that sum.
    var beyond: Double { joint.effect - sum }
  }

  var part: PatchedPart
  /// What was replaced, without positions.
  var parts: [String]
  /// Positions, where each was replaced by itself.
  var positions: [String]
  var seed: UInt64
  var effects: InterventionEffects
  var task: CausalTask
  var pairs: [Pair]?
  var groups: InterventionEffects?

  func rows(_ effects: InterventionEffects) -> [Row] {
    effects.targets.indices.map {
      Row(name: effects.targets[$0].name, summary: effects.summary($0, seed: seed))
    }
  }

  /// Measures every pair of the `count` heads with the largest effects.
  mutating func addPairs(
    _ count: Int, _ graph: CircuitGraph, _ measure: ([InterventionTarget]) throws -> InterventionEffects
  ) throws {
    let heads = PatchedPart.heads.targets(graph)
    let single = try measure(heads)
    let alone = heads.indices.map { index in average(single.effects(index)) }
    let chosen = heads.indices.sorted { abs(alone[$0]) > abs(alone[$1]) }.prefix(count).sorted()
    var members: [(Int, Int)] = []
    for (place, first) in chosen.enumerated() {
      for second in chosen.dropFirst(place + 1) { members.append((first, second)) }
    }
    let joint = try measure(
      members.map { InterventionTarget("", heads[$0.0].nodes + heads[$0.1].nodes) })
    pairs = members.enumerated().map { place, pair in
      Pair(
        first: heads[pair.0].name, second: heads[pair.1].name, joint: joint.summary(place, seed: seed),
        sum: alone[pair.0] + alone[pair.1])
    }
  }

  /// what, (position,) effect, effect_low, effect_high, share.
  func table(_ effects: InterventionEffects) -> CSVDocument {
    let hasPositions = effects.targets.contains { $0.positions != nil }
    var document = CSVDocument(
      header: ["what"] + (hasPositions ? ["position"] : []) + [
        "effect", "effect_low", "effect_high", "share",
      ])
    for row in rows(effects) {
      let sides = row.name.split(separator: "@").map(String.init)
      document.append(
        [.text(sides[0])] + (hasPositions ? [.text(sides.count > 1 ? sides[1] : "")] : []) + [
          .number(row.summary.effect), .number(row.summary.interval.lowerBound),
          .number(row.summary.interval.upperBound), .number(row.summary.share),
        ])
    }
    return document
  }

  /// Layers by heads, or parts by positions.
  func heatMap(_ graph: CircuitGraph, title: String) -> HeatMap {
    let values = effects.targets.indices.map { average(effects.effects($0)) }
    if !positions.isEmpty {
      return HeatMap(
        title: title, rowTitle: "", columnTitle: "position", rows: parts, columns: positions,
        values: parts.indices.map { row in
          positions.indices.map { values[row * positions.count + $0] }
        })
    }
    if part == .layers {
      return HeatMap(
        title: title, rowTitle: "", columnTitle: "", rows: parts, columns: ["all"],
        values: values.map { [$0] })
    }
    var byNode = [Double?](repeating: nil, count: graph.sourceCount)
    for (target, value) in zip(effects.targets, values) {
      if let node = target.nodes.first, let index = graph.sourceIndex(of: node) { byNode[index] = value }
    }
    return NodeTable.heatMap(byNode, graph, title: title)
  }
}
