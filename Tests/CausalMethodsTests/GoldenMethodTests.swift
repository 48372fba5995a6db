// Every method against PyTorch in float64: on four families, with factors on what modules add and with a norm on the first
// stream (Golden/causal_methods.py), and with answers of several tokens (Golden/several_tokens.py).

import Checkpoints
@testable import CausalMethods
import Files
import Foundation
import Tensors
import TestSupport
import Testing
import Transformers

/// The golden file of a family, with its model and task.
struct GoldenTask {
  static let families = ["gpt2", "llama", "gpt_neox", "gemma2"]
  /// Families of another oracle.
  static let more = ["bloom", "granite"]
  static let severalTokens = ["gpt2", "llama", "gemma2"]

  let model: Transformer
  let task: CausalTask
  let file: SafetensorsFile
  let graph: CircuitGraph

  init(_ family: String, hasLongAnswers: Bool = false) throws {
    let kind = Self.more.contains(family) ? "more/" : "gradients/"
    model = try Transformer(folder: packageFolder + "/Tests/TransformersTests/Golden/" + kind + family)
    file = try SafetensorsFile(
      path: packageFolder + "/Tests/CausalMethodsTests/Golden/" + family
        + (hasLongAnswers ? "-several-tokens" : "") + ".safetensors")
    let lengths = try file.integers("lengths")
    let answers = try file.integers("answers")
    let golden = file
    func prompts(_ name: String) throws -> [[Int]] {
      let values = try golden.integers(name)
      let width = values.count / lengths.count
      return lengths.enumerated().map { Array(values[$0 * width..<$0 * width + $1]) }
    }
    let corrupted = try prompts("corrupted")
    task = CausalTask(
      clean: try prompts("clean"), corrupted: corrupted, others: corrupted,
      questions: lengths.enumerated().map { prompt, length in
        guard hasLongAnswers else {
          return Question(
            position: length - 1, right: [answers[2 * prompt]], wrong: [answers[2 * prompt + 1]])
        }
        let tokens = answers[5 * prompt..<5 * prompt + 5].map { $0 }
        return Question(
          position: length - 1, right: [Array(tokens[0..<3])], wrong: [[tokens[0], tokens[3]], [tokens[4]]])
      }, metric: .logitDifference)
    graph = CircuitGraph(model.configuration)
  }

  /// Golden edge scores in the order of edges: the file has `[reader, source]`.
  func edges(_ name: String) throws -> [Double] {
    let table = try file.tensor(name)
    return (0..<graph.destinationCount).flatMap { reader in
      (0..<graph.sourceCount(before: reader)).map { Double(table[reader, $0]) }
    }
  }
}

/// The largest difference, relative to the largest golden value.
func relativeError(_ found: [Double], _ golden: [Double]) -> Double {
  precondition(found.count == golden.count, "\(found.count) values beside \(golden.count)")
  let size = golden.map(abs).max() ?? 1
  return (zip(found, golden).map { abs($0 - $1) }.max() ?? 0) / max(size, 1e-9)
}

@Suite struct GoldenMethodTests {
  @Test(arguments: [("bloom", false), ("granite", false)] + GoldenTask.severalTokens.map { ($0, true) })
  func otherStreamsAndAnswersOfSeveralTokens(family: String, hasLongAnswers: Bool) throws {
    let golden = try GoldenTask(family, hasLongAnswers: hasLongAnswers)
    var methods = ["eap", "eap-ig-inputs", "eap-ig-activations", "clean-corrupted", "edge-patching"]
    if hasLongAnswers { methods.append("eap-relp") }
    for name in methods {
      // Two batches, one of a single prompt: scores do not depend on how prompts are grouped.
      for limit in [10, 1000] {
        var options = AttributionOptions()
        options.tokenLimit = limit
        let found = try #require(attributionMethod(named: name)).init()
          .attribute(golden.model, golden.task, options) { _, _ in }
        let error = relativeError(try #require(found.edgeScores), try golden.edges(name))
        #expect(error < 1e-4, "\(name) of \(family)")
        let metric = try golden.file.tensor("metric").values.map(Double.init)
        #expect(relativeError(found.metric, metric) < 1e-4)
      }
    }
    for (name, replacement) in [
      ("atp", SourceReplacement.pair), ("atp", .mean), ("atp", .zero), ("patching", .pair),
      ("patching", .mean),
      ("patching", .zero),
    ] {
      var options = AttributionOptions()
      options.replacement = replacement
      let found = try #require(attributionMethod(named: name)).init()
        .attribute(golden.model, golden.task, options) { _, _ in }
      let expected = try golden.file.tensor("\(name)-\(replacement.rawValue)").values.map(Double.init)
      let error = relativeError(try #require(found.nodeScores), expected)
      #expect(error < 1e-4, "\(name), \(replacement) of \(family)")
    }
    try checkCircuits(golden)
  }

  @Test(
    arguments: GoldenTask.families,
    ["eap", "eap-ig-inputs", "eap-ig-activations", "clean-corrupted", "eap-relp", "edge-patching"])
  func edgesEqualAutograd(family: String, name: String) throws {
    let golden = try GoldenTask(family)
    let method = try #require(attributionMethod(named: name)).init()
    // Two batches, one of a single prompt: scores do not depend on how prompts are grouped.
    for limit in [10, 1000] {
      var options = AttributionOptions()
      options.tokenLimit = limit
      let found = try method.attribute(golden.model, golden.task, options) { _, _ in }
      #expect(
        relativeError(try #require(found.edgeScores), try golden.edges(name)) < 1e-4, "\(name) of \(family)")
      let metric = try golden.file.tensor("metric").values.map(Double.init)
      #expect(relativeError(found.metric, metric) < 1e-4)
    }
  }

  @Test(
    arguments: GoldenTask.families,
    [
      ("atp", SourceReplacement.pair), ("atp", .mean), ("atp", .zero), ("patching", .pair),
      ("patching", .mean),
      ("patching", .zero), ("hisp", .zero), ("atp-star", .pair), ("relp", .pair),
    ])
  func nodesEqualAutograd(family: String, _ method: (name: String, replacement: SourceReplacement)) throws {
    let golden = try GoldenTask(family)
    var options = AttributionOptions()
    options.replacement = method.replacement
    let found = try #require(attributionMethod(named: method.name)).init()
      .attribute(golden.model, golden.task, options) { _, _ in }
    let name = method.name == "hisp" ? "hisp" : "\(method.name)-\(method.replacement.rawValue)"
    let expected = try golden.file.tensor(name).values.map(Double.init)
    #expect(relativeError(try #require(found.nodeScores), expected) < 1e-4, "\(name) of \(family)")
  }

  @Test(arguments: GoldenTask.families)
  func restoringIsPatchingTheOtherWay(family: String) throws {
    let golden = try GoldenTask(family)
    var task = golden.task
    (task.clean, task.corrupted) = (task.corrupted, task.clean)
    let found = try NodePatching().attribute(golden.model, task, AttributionOptions()) { _, _ in }
    let expected = try golden.file.tensor("restoring").values.map(Double.init)
    #expect(relativeError(try #require(found.nodeScores), expected) < 1e-4)
  }

  @Test(arguments: GoldenTask.families)
  func circuitsRunAsEAPIGRunsThem(family: String) throws { try checkCircuits(try GoldenTask(family)) }

  private func checkCircuits(_ golden: GoldenTask) throws {
    let masks = try golden.file.integers("circuit.edges")
    let count = golden.graph.edgeCount
    let circuits = (0..<masks.count / count).map { row in
      Circuit(golden.graph, edges: masks[row * count..<(row + 1) * count].map { $0 == 1 })
    }
    var runner = try CircuitRunner(golden.model, golden.task, AttributionOptions())
    let found = try runner.values(of: circuits, by: [.logitDifference])[0]
    let expected = try golden.file.tensor("circuit.metric")
    for (row, values) in found.enumerated() {
      #expect(
        relativeError(values, expected.row(row).values.map(Double.init)) < 2e-4,
        "circuit \(row) of \(golden.model.configuration.family)"
      )
    }
    // Nothing patched is the model; everything patched is the corrupted run.
    let whole = try golden.file.tensor("metric").values.map(Double.init)
    let all = try runner.values(of: [.whole(golden.graph), .empty(golden.graph)], by: [.logitDifference])[0]
    #expect(relativeError(all[0], whole) < 1e-4)
    let corrupted = try golden.model.values(
      of: LogitDifference(golden.task.questions),
      TokenBatch(golden.task.corrupted, continuedBy: golden.task.questions.map(\.continuations)))
    #expect(relativeError(all[1], corrupted) < 2e-4)
  }
}
