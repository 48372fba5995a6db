// Information pathways: how few of its attention paths a model needs, drawn at random and learned (after Hussain, Zaki &
// Subramanian 2023, arXiv 2306.01705, who train models under such draws; here none is trained).
//
//   swift run -c release InformationPathways

import CausalMethods
import CircuitDiscovery
import Narration
import Reports
import Tensors
import Transformers

@main
enum InformationPathways {
  static func main() throws {
    let narration = try Narration("information-pathways")
    let library = TaskLibrary.bundled()
    let folder = (library.folder ?? "Circuits") + "/default-model"
    let model = try Transformer(folder: folder)
    let prompts = try library.task("ioi").promptSet(
      examples: 60, seed: 0, limits: PromptLimits(modelFolder: folder))
    let task = try prompts.causalTask(needsPairs: true)
    try drawn(model, task, narration)
    let circuit = try learned(model, task, narration)
    try compared(circuit, model, task, narration)
  }

  // Paths of attention: from a query to one of the keys that it may look at.

  static func drawn(_ model: Transformer, _ task: CausalTask, _ narration: Narration) throws {
    narration.section("1. Attention paths drawn at random")
    narration.say(
      "Every head keeps each key of each query with some probability; what is left of the attention is scaled up"
    )
    narration.say("to one again. A draw is one pathway through the model; nothing is trained.")
    let whole = try accuracy([distributions(model, task)], task)
    narration.say("all paths: right on \(whole.percent) of \(task.clean.count) prompts")
    let (shares, draws) = ([0.1, 0.2, 0.3, 0.5, 0.7, 0.9], 16)
    var (single, together): ([Double], [Double]) = ([], [])
    for share in shares {
      let found = try (0..<draws).map { draw in
        try distributions(model, task, applying: paths(model, keeping: share, seed: UInt64(draw)))
      }
      let alone = try found.map { try accuracy([$0], task) }
      single.append(mean(alone))
      together.append(try accuracy(found, task))
      narration.say(
        "\(share.percent) of paths: \(mean(alone).percent) on average over \(draws) draws (\(least(alone)) to "
          + "\(most(alone))); their mean prediction is right on \((together.last ?? 0).percent)")
    }
    try narration.draw(
      LineChart(
        title: "Attention paths kept at random", xTitle: "share of paths kept",
        yTitle: "share of prompts that are right",
        series: [
          .init("one draw", zip(shares, single).map { (x: $0, y: $1) }),
          .init("mean prediction of \(draws) draws", zip(shares, together).map { (x: $0, y: $1) }),
          .init("all paths", [(x: shares[0], y: whole), (x: 1, y: whole)]),
        ], yRange: 0...1
      ).svg, as: "draws")
    narration.say(
      "Where the mean of many weak pathways is better than each, they err in different places: the model is an"
    )
    narration.say("ensemble of them, as the paper says. Where it is not, some path is needed by all.")
  }

  /// Edits that keep each path with a probability; every query keeps itself.
  static func paths(_ model: Transformer, keeping share: Double, seed: UInt64) -> [HookPoint: Edit] {
    Dictionary(
      uniqueKeysWithValues: (0..<model.configuration.layers).map { layer in
        (
          HookPoint.pattern(layer: layer),
          Edit { pattern, _ in
            var generator = SeededGenerator(seed: seed, stream: "paths of layer \(layer)")
            let (queries, keys) = (pattern.shape[2], pattern.shape[3])
            pattern.withMutableValues { values in
              for row in 0..<values.count / max(1, keys) {
                var left: Float = 0
                for key in 0..<keys {
                  if key != row % queries, generator.uniform() > share {
                    values[row * keys + key] = 0
                  }
                  left += values[row * keys + key]
                }
                guard left > 0 else { continue }
                for key in 0..<keys { values[row * keys + key] /= left }
              }
            }
          }
        )
      })
  }

  /// The distribution of the next token, by prompt.
  static func distributions(
    _ model: Transformer, _ task: CausalTask, applying edits: [HookPoint: Edit] = [:]
  ) throws -> [[Double]] {
    let logits = try model.logits(
      TokenBatch(task.clean), at: task.questions.map { [$0.position] }, applying: edits)
    return task.clean.indices.map { logSoftmax(logits.row($0)).map(exponential) }
  }

  /// The share of prompts whose most likely token, under the mean of some predictions, is a right one.
  static func accuracy(_ predictions: [[[Double]]], _ task: CausalTask) throws -> Double {
    let right = task.questions.enumerated().count { prompt, question in
      var sums = predictions[0][prompt]
      for other in predictions.dropFirst() {
        for token in sums.indices { sums[token] += other[prompt][token] }
      }
      return sums.indices.max { sums[$0] < sums[$1] }.map { question.right.contains([$0]) } ?? false
    }
    return Double(right) / Double(max(1, task.questions.count))
  }

  static func least(_ values: [Double]) -> String { (values.min() ?? 0).percent }
  static func most(_ values: [Double]) -> String { (values.max() ?? 0).percent }

  // Paths between heads: the edges of the circuit graph.

  static func learned(_ model: Transformer, _ task: CausalTask, _ narration: Narration) throws -> Circuit {
    narration.section("2. Paths between heads, by learned masks")
    narration.say(
      "Now a path is an edge: what one head writes and another reads. Gates on all edges learn to stay open only"
    )
    narration.say(
      "where the answers need it (Bhaskar et al. 2024); a closed one carries the negative's value.")
    let graph = CircuitGraph(model.configuration)
    let fitted = task.selecting(Array(task.clean.indices.prefix(task.clean.count / 2)))
    let result = try EdgeMask().attribute(model, fitted, AttributionOptions()) { _, _ in }
    let open = result.circuit ?? []
    let circuit = Circuit(graph, edges: (0..<graph.edgeCount).map { open.contains($0) }).pruned()
    narration.say(
      "\(circuit.edgeCount) of \(graph.edgeCount) edges stay open "
        + "(\((Double(circuit.edgeCount) / Double(graph.edgeCount)).percent)), learned on \(fitted.clean.count) prompts."
    )
    return circuit
  }

  static func compared(
    _ circuit: Circuit, _ model: Transformer, _ task: CausalTask, _ narration: Narration
  ) throws {
    narration.section("3. Learned paths beside as many at random")
    let graph = circuit.graph
    let others = task.selecting(Array(task.clean.indices.suffix(task.clean.count - task.clean.count / 2)))
    var runner = try CircuitRunner(model, others, AttributionOptions())
    let shares = [Double(circuit.edgeCount) / Double(graph.edgeCount), 0.25, 0.5, 0.75, 0.9]
    let draws = 12
    let random = shares.flatMap { share in
      (0..<draws).map { draw -> Circuit in
        var generator = SeededGenerator(seed: UInt64(draw), stream: "edges at \(share)")
        return Circuit(graph, edges: (0..<graph.edgeCount).map { _ in generator.uniform() < share })
      }
    }
    let values = try runner.values(of: [.whole(graph), circuit] + random, by: [others.metric])[0].map(mean)
    let whole = values[0]
    narration.say(
      "on \(others.clean.count) other prompts the learned paths keep \((values[1] / whole).percent) of the metric."
    )
    var bars: [(x: Double, y: Double)] = []
    for (place, share) in shares.enumerated() {
      let kept = values[2 + place * draws..<2 + (place + 1) * draws].map { $0 / whole }
      bars.append((x: share, y: mean(kept)))
      narration.say(
        "\(share.percent) at random: \(mean(kept).percent) (\(least(kept)) to \(most(kept))); at least 90 % in "
          + "\(kept.count { $0 >= 0.9 }) of \(draws) draws")
    }
    try narration.draw(
      LineChart(
        title: "Edges kept", xTitle: "share of edges kept", yTitle: "share of the metric kept",
        series: [
          .init("at random, mean of \(draws) draws", bars.sorted { $0.x < $1.x }),
          .init("learned", [(x: 0, y: values[1] / whole), (x: 1, y: values[1] / whole)]),
        ]
      ).svg, as: "edges")
    narration.say(
      "The model holds a small pathway that does the task; a random one has to be nearly the whole to contain it."
    )
  }
}
