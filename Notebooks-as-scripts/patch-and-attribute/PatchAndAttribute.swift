// Ablation, patching and attribution: three ways to ask what a head does, what each costs, and where they disagree.
//
//   swift run -c release PatchAndAttribute

import CausalMethods
import CircuitDiscovery
import Narration
import Reports
import Transformers

@main
enum PatchAndAttribute {
  static func main() throws {
    let narration = try Narration("patch-and-attribute")
    let library = TaskLibrary.bundled()
    let folder = (library.folder ?? "Circuits") + "/default-model"
    let model = try Transformer(folder: folder)
    let prompts = try library.task("ioi").promptSet(
      examples: 40, seed: 0, limits: PromptLimits(modelFolder: folder))
    let task = try prompts.causalTask(needsPairs: true)
    let graph = CircuitGraph(model.configuration)

    narration.section("1. Patching: each head takes its value in the prompt's negative")
    narration.say(
      "A prompt and its negative differ in one name. What a head's output changes there, and what that does")
    narration.say("to the answer, is what this head carries of the difference.")
    let patched = try replaced(.pair, model, task, graph)
    try show(patched, "Patching: change of the logit difference", "patching", graph, narration)

    narration.section("2. Ablation: each head takes its mean over all negatives")
    narration.say("Now the question is another one: what can the answer not do without?")
    let ablated = try replaced(.mean, model, task, graph)
    try show(ablated, "Mean ablation: change of the logit difference", "ablation", graph, narration)
    narration.say(
      "A head that writes the same in a prompt and its negative is silent in 1, and may be large in 2.")
    narration.say("Order of the sizes, 1 beside 2: ρ = \(correlation(patched, ablated)).")

    narration.section("3. Attribution: one gradient instead of a run for each head")
    narration.say(
      "To first order the change is (value in the negative − value) · gradient. All heads cost one run back.")
    for name in ["atp", "ig"] {
      let scores = try attributed(name, model, task, graph)
      narration.say("\(name): ρ = \(correlation(patched, scores)) with patching")
      try show(scores, "\(name): estimated change", name, graph, narration, quietly: true)
    }
    narration.say(
      "'atp' takes the slope where the prompt is; 'ig' takes the mean slope on the way to the negative.")

    narration.section("4. Edges: who tells whom")
    var options = AttributionOptions()
    guard let method = attributionMethod(named: "eap-ig-inputs") else { return }
    options.steps = 5
    let result = try method.init().attribute(model, task, options) { _, _ in }
    guard let scores = result.edgeScores else { return }
    let edges = graph.edges
    for place in scores.indices.sorted(by: { abs(scores[$0]) > abs(scores[$1]) }).prefix(6) {
      narration.say("\(edges[place]): \(scores[place].short)")
    }
    narration.say(
      "a1.h4<v> is what head 4 of layer 1 reads for its values; q and k are its queries and keys.")

    narration.section("5. Does the circuit do the task by itself?")
    narration.say(
      "Keep the edges with the largest scores; everything else carries values from the negatives.")
    let curve = try faithfulness(scores, model, task, graph)
    for (share, value) in zip(curve.shares, curve.faithfulness) where share >= 0.01 {
      narration.say("\(share.percent) of \(graph.edgeCount) edges: \(value.short) of the metric")
    }
    narration.say("CPR, the area under that curve: \(curve.cpr.short).")
    try narration.draw(
      LineChart(
        title: "Faithfulness of circuits by EAP-IG", xTitle: "share of edges kept",
        yTitle: "share of the metric",
        series: [.init("EAP-IG", zip(curve.shares, curve.faithfulness).map { (x: $0, y: $1) })]
      ).svg, as: "faithfulness")
    let small = Circuit(graph, top: 24, scores: scores).pruned()
    try narration.draw(drawing(small, scores, graph), as: "circuit")
  }

  /// What replacing each head does to the mean metric.
  static func replaced(
    _ replacement: SourceReplacement, _ model: Transformer, _ task: CausalTask, _ graph: CircuitGraph
  ) throws -> [Double] {
    var options = AttributionOptions()
    options.replacement = replacement
    let targets = heads(graph).map { InterventionTarget($0.description, [$0]) }
    let effects = try InterventionStudy(model, task, options).effects(of: targets)
    return targets.indices.map { mean(effects.effects($0)) }
  }

  /// What a method expects of the same.
  static func attributed(
    _ name: String, _ model: Transformer, _ task: CausalTask, _ graph: CircuitGraph
  ) throws -> [Double] {
    guard let method = attributionMethod(named: name) else { return [] }
    let result = try method.init().attribute(model, task, AttributionOptions()) { _, _ in }
    let scores = result.nodeScores ?? []
    return heads(graph).map { head in graph.sourceIndex(of: head).map { scores[$0] } ?? 0 }
  }

  static func faithfulness(
    _ scores: [Double], _ model: Transformer, _ task: CausalTask, _ graph: CircuitGraph
  ) throws -> FaithfulnessCurve {
    let circuits = circuitShares.map { share in
      Circuit(graph, top: max(1, Int(share * Double(graph.edgeCount))), scores: scores).pruned()
    }
    var runner = try CircuitRunner(model, task, AttributionOptions())
    let values = try runner.values(of: circuits + [.whole(graph), .empty(graph)], by: [task.metric])
    let means = values[0].map(mean)
    return try FaithfulnessCurve(
      shares: circuitShares, metrics: Array(means.prefix(circuits.count)), whole: means[circuits.count],
      empty: means[circuits.count + 1], metric: task.metric)
  }

  static func show(
    _ scores: [Double], _ title: String, _ name: String, _ graph: CircuitGraph, _ narration: Narration,
    quietly: Bool = false
  ) throws {
    if !quietly {
      let all = heads(graph)
      for place in scores.indices.sorted(by: { abs(scores[$0]) > abs(scores[$1]) }).prefix(4) {
        narration.say("\(all[place]): \(scores[place].short)")
      }
    }
    try narration.draw(
      HeatMap(
        title: title, rowTitle: "layer", columnTitle: "head", rows: (0..<graph.layers).map(String.init),
        columns: (0..<graph.heads).map(String.init),
        values: (0..<graph.layers).map { layer in
          (0..<graph.heads).map { scores[layer * graph.heads + $0] }
        }
      ).svg, as: name)
  }

  static func heads(_ graph: CircuitGraph) -> [GraphNode] {
    (0..<graph.layers).flatMap { layer in (0..<graph.heads).map { .head(layer: layer, head: $0) } }
  }

  static func correlation(_ one: [Double], _ other: [Double]) -> String {
    rankCorrelation(one.map(abs), other.map(abs))?.short ?? "none"
  }

  /// A circuit as layers of nodes; the input stands at the bottom.
  static func drawing(_ circuit: Circuit, _ scores: [Double], _ graph: CircuitGraph) -> String {
    var weights: [[String]: Double] = [:]
    for (place, edge) in graph.edges.enumerated() where circuit.edges[place] {
      weights[[edge.source.description, edge.destination.node?.description ?? "logits"], default: 0] +=
        scores[place]
    }
    func row(_ name: String) -> Int {
      if name == "logits" { return 2 * graph.layers + 1 }
      guard let node = GraphNode(name), let layer = node.layer else { return 0 }
      if case .head = node { return 2 * layer + 1 }
      return 2 * layer + 2
    }
    let names = Set(weights.keys.flatMap { $0 })
    return LayeredGraph(
      title: "The largest edges of the circuit",
      nodes: names.sorted().map { .init($0, row: row($0)) },
      edges: weights.sorted { abs($0.value) > abs($1.value) }.map {
        .init(from: $0.key[0], to: $0.key[1], weight: $0.value)
      }
    ).svg(id: "circuit")
  }
}
