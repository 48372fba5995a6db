// What must hold of causal methods whatever the model.

import Foundation
import Tensors
import TestSupport
import Testing
import Transformers

@testable import CausalMethods

@Suite struct PropertyTests {
  private func run(
    _ name: String, _ golden: GoldenTask, _ change: (inout AttributionOptions) -> Void = { _ in }
  ) throws -> AttributionResult {
    var options = AttributionOptions()
    change(&options)
    return try #require(attributionMethod(named: name)).init()
      .attribute(golden.model, golden.task, options) { _, _ in }
  }

  @Test(arguments: GoldenTask.families)
  func integratedGradientsOfANodeTendToItsExactEffect(family: String) throws {
    let golden = try GoldenTask(family)
    let exact = try #require(try run("patching", golden).nodeScores)
    let errors = try [2, 8, 64].map { steps in
      let found = try run("ig", golden) {
        $0.steps = steps
        $0.settings["alone"] = 1
      }
      return relativeError(try #require(found.nodeScores), exact)
    }
    #expect(errors[2] < 0.02, "\(errors)")
    #expect(errors[2] < errors[0])
  }

  @Test(arguments: GoldenTask.families + GoldenTask.more)
  func edgesThatLeaveANodeSumToItsAttribution(family: String) throws {
    let golden = try GoldenTask(family)
    let nodes = try #require(try run("atp", golden).nodeScores)
    let edges = try run("eap", golden).edges ?? []
    let sums = edges.map { AttributionSummary.nodeSums($0, golden.graph).map(Double.init) }
    let means = nodes.indices.map { node in sums.reduce(0) { $0 + $1[node] } / Double(sums.count) }
    #expect(relativeError(means, nodes) < 1e-4)
  }

  @Test(arguments: GoldenTask.families + GoldenTask.more)
  func contributionsSumToTheLogitDifference(family: String) throws {
    let golden = try GoldenTask(family)
    let direct = try DirectLogitAttribution(golden.model, golden.task)
    let plain = try golden.model.values(
      of: LogitDifference(golden.task.questions), TokenBatch(golden.task.clean))
    for prompt in golden.task.clean.indices {
      let sum = direct.contributions[prompt].reduce(0, +) + direct.constant[prompt]
      #expect(abs(sum - direct.logitDifference[prompt]) < 1e-6)
      if golden.model.configuration.logitCap == nil {
        #expect(abs(direct.logitDifference[prompt] - plain[prompt]) < 1e-3)
      }
      // What is left over is what no node writes: biases alone.
      if ["llama", "gemma2", "granite"].contains(family) {
        #expect(abs(direct.constant[prompt]) < 1e-3, "\(family)")
      }
    }
  }

  /// A model that normalises the stream itself has no edges, and says why; its nodes are patched as any.
  @Test(arguments: ["more/bert", "more/roberta", "more/opt-projected"])
  func streamsThatAreNoSumsHaveNodesAlone(name: String) throws {
    let model = try Transformer(folder: packageFolder + "/Tests/TransformersTests/Golden/" + name)
    #expect(throws: CausalError.self) { try model.requireSummedStream(for: "eap") }
    let prompts = [[3, 4, 5, 6], [4, 4, 7, 6]]
    let task = CausalTask(
      clean: prompts, corrupted: prompts.reversed(), others: prompts,
      questions: [3, 2].map { Question(position: $0, right: [8], wrong: [9]) }, metric: .logitDifference)
    #expect(throws: CausalError.self) { try DirectLogitAttribution(model, task) }
    let study = try InterventionStudy(model, task, AttributionOptions())
    let graph = CircuitGraph(model.configuration)
    // The input carries all that tells the prompts apart.
    let effects = try study.effects(of: [InterventionTarget("input", [.input])])
    let corrupted = try model.values(
      of: LogitDifference(task.questions), TokenBatch(task.corrupted))
    #expect(relativeError(effects.values[0], corrupted) < 1e-4 && graph.sourceCount > 1)
    #expect(relativeError(effects.replaced, corrupted) < 1e-4)
  }

  @Test(arguments: GoldenTask.families + GoldenTask.more)
  func interventionsOnOneNodeArePatching(family: String) throws {
    let golden = try GoldenTask(family)
    let exact = try run("patching", golden)
    let targets = (0..<golden.graph.sourceCount).map { index in
      InterventionTarget(golden.graph.source(index).description, [golden.graph.source(index)])
    }
    let study = try InterventionStudy(golden.model, golden.task, AttributionOptions())
    let effects = try study.effects(of: targets)
    let means = targets.indices.map { index in
      effects.effects(index).reduce(0, +) / Double(golden.task.clean.count)
    }
    #expect(relativeError(means, try #require(exact.nodeScores)) < 1e-4)
    // All nodes together are the corrupted run.
    let corrupted = try golden.model.values(
      of: LogitDifference(golden.task.questions), TokenBatch(golden.task.corrupted))
    #expect(relativeError(effects.replaced, corrupted) < 1e-4)
  }

  @Test func positionsTogetherAreTheWhole() throws {
    let golden = try GoldenTask("llama")
    let node = GraphNode.head(layer: 1, head: 0)
    let all = golden.task.clean.map { Array($0.indices) }
    let study = try InterventionStudy(golden.model, golden.task, AttributionOptions())
    let effects = try study.effects(of: [
      InterventionTarget("whole", [node]), InterventionTarget("each", [node], positions: all),
      InterventionTarget("none", [node], positions: all.map { _ in [] }),
    ])
    #expect(relativeError(effects.values[1], effects.values[0]) < 1e-6)
    #expect(relativeError(effects.values[2], effects.base) < 1e-6)
  }

  @Test func acdcKeepsWhatTheThresholdSays() throws {
    let golden = try GoldenTask("gpt2")
    var task = golden.task
    task.metric = .divergence
    func circuit(_ threshold: Double) throws -> Circuit {
      var options = AttributionOptions()
      options.settings["threshold"] = threshold
      let result = try ACDC().attribute(golden.model, task, options) { _, _ in }
      let chosen = try #require(result.circuit)
      return Circuit(golden.graph, edges: (0..<golden.graph.edgeCount).map { chosen.contains($0) })
    }
    #expect(try circuit(-.infinity).edgeCount == golden.graph.edgeCount)
    #expect(try circuit(.infinity).edgeCount == 0)
    let middle = try circuit(0.01)
    #expect((1..<golden.graph.edgeCount).contains(middle.edgeCount))
    // The run that begins at a reader's layer is the run of the same circuit from the start.
    var runner = try CircuitRunner(golden.model, task, AttributionOptions())
    let whole = try runner.values(of: [middle], by: [.divergence])[0][0]
    #expect(whole.allSatisfy { $0 >= -1e-9 && $0 < 20 })
  }

  @Test(arguments: ["llama", "granite"])
  func gatesOnEdgesHaveTheGradientsOfTheirRun(family: String) throws {
    // A gate of 0 or 1 on every edge is a circuit: the masked run must be the circuit's, and its gate gradients the
    // differences that closing a gate a little makes.
    let golden = try GoldenTask(family)
    let batch = TokenBatch(Array(golden.task.clean[0..<2]))
    let metric = LogitDifference(Array(golden.task.questions[0..<2]))
    let donors = try golden.model.sourceOutputs(golden.graph, TokenBatch(Array(golden.task.corrupted[0..<2])))
    var generator = SeededGenerator(seed: 7)
    let gates = (0..<golden.graph.edgeCount).map { _ in Float(generator.uniform()) }
    func metricSum(_ gates: [Float]) throws -> Double {
      try golden.model.values(
        of: metric, batch, applying: MaskedRun(golden.model, golden.graph, donors, gates).edits
      ).reduce(0, +)
    }
    let masked = MaskedRun(golden.model, golden.graph, donors, gates)
    _ = try golden.model.gradients(of: metric, batch, at: [.embedding], applying: masked.edits)
    let found = masked.gateGradients
    let size = found.map(abs).max() ?? 0
    for edge in stride(from: 0, to: gates.count, by: 7) {
      let step: Float = 0.02
      var (above, below) = (gates, gates)
      above[edge] += step
      below[edge] -= step
      let difference = (try metricSum(above) - metricSum(below)) / Double(2 * step)
      #expect(abs(difference - found[edge]) < 0.02 * size, "\(golden.graph.edges[edge])")
    }
    let circuit = Circuit(golden.graph, edges: gates.map { $0 > 0.5 })
    let binary = try golden.model.values(
      of: metric, batch,
      applying: MaskedRun(golden.model, golden.graph, donors, circuit.edges.map { $0 ? 1 : 0 }).edits)
    var runner = try CircuitRunner(golden.model, golden.task, AttributionOptions())
    let expected = try runner.values(of: [circuit], by: [.logitDifference])[0][0]
    #expect(relativeError(binary, Array(expected[0..<2])) < 1e-4)
  }

  @Test func attentionOfKnownKinds() throws {
    let golden = try GoldenTask("gpt2")
    let kinds = try AttentionKinds.measure(golden.model, [[3, 5, 3, 7, 5, 5], [2, 2]])
    #expect(kinds.count == 2 && kinds[0].count == 4)
    for kind in kinds.flatMap({ $0 }) {
      for share in [kind.previousToken, kind.duplicateToken, kind.induction, kind.firstToken, kind.entropy] {
        #expect((0...1.0001).contains(share))
      }
    }
    // By hand: the share on the token before, from the pattern itself.
    let pattern = try golden.model.run(
      TokenBatch([[3, 5, 3, 7, 5, 5], [2, 2]]), reading: [.pattern(layer: 1)])[.pattern(layer: 1)]
    let shares = (1..<6).map { Double(pattern[0, 2, $0, $0 - 1]) } + [Double(pattern[1, 2, 1, 0])]
    #expect(abs(kinds[1][2].previousToken - shares.reduce(0, +) / 6) < 1e-6)
  }

  @Test func tasksThatCannotBeRun() throws {
    let golden = try GoldenTask("gpt2")
    var unpaired = golden.task
    unpaired.corrupted[2].removeLast()
    #expect(throws: CausalError.self) {
      try EdgeAttribution().attribute(golden.model, unpaired, AttributionOptions()) { _, _ in }
    }
    var unanswered = golden.task
    unanswered.questions[1].wrong = []
    #expect(throws: CausalError.noAnswer(prompt: 1, what: "wrong answer")) {
      try AttributionPatching().attribute(golden.model, unanswered, AttributionOptions()) { _, _ in }
    }
    var lonely = golden.task
    lonely.others = [[1, 2]]
    var options = AttributionOptions()
    options.replacement = .mean
    #expect(throws: CausalError.noDonor(prompt: 0, problem: "no other prompt has its 5 tokens")) {
      try AttributionPatching().attribute(golden.model, lonely, options) { _, _ in }
    }
    let study = try InterventionStudy(golden.model, golden.task, AttributionOptions())
    #expect(throws: CausalError.absentNode("a9.h0", graph: golden.graph)) {
      try study.effects(of: [InterventionTarget("x", [.head(layer: 9, head: 0)])])
    }
  }
}
