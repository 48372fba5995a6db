// The default ranking on models by others: two that were published with their makers' notes, and programs compiled by
// tracr (Golden/tracr; Benchmarks/circuits/tracr_models.py makes them).

import CausalMethods
@testable import CircuitDiscovery
import Foundation
import SparseAutoencoders
import Tensors
import TestSupport
import Testing
import Transformers

/// A ranking by code attribution beside the effects of replacing each head on other prompts.
struct JudgedRanking {
  let scores: [Double]
  /// The share of the metric that is lost where a head has its value in the corrupted prompt.
  let effects: [Double]

  var isTrue: [Bool] { effects.map { abs($0) >= HeadJudge.threshold } }

  init(_ model: Transformer, ranked: CausalTask, judged: CausalTask) throws {
    let samples = try model.sampleHeadOutputs(ranked, count: 8192, seed: 0)
    var settings = DictionarySettings()
    settings.steps = 300
    let scales = samples.scales
    let trained = trainDictionary(on: samples.scaled(by: scales), settings, seed: 0)
    let found = try model.attributeCodes(
      ranked, HeadPathOptions(), dictionaries: [CodeDictionary(trained.dictionary, scales: scales)])
    scores = CodeRanking.scores(found.attributions)
    let heads = model.configuration.heads
    let targets = (0..<model.configuration.headCount).map { place in
      let head = GraphNode.head(layer: place / heads, head: place % heads)
      return InterventionTarget(head.description, [head])
    }
    let study = try InterventionStudy(model, judged, AttributionOptions()).effects(of: targets)
    let whole = study.base.reduce(0, +)
    effects = study.values.map { (whole - $0.reduce(0, +)) / whole }
  }

  func area() throws -> Double { try LabelledScores(scores, isTrue: isTrue).trapezoidAUC }
}

@Suite struct OtherModelTests {
  /// Pairs of prompts with what the model should say after each; the metric is the one against the other.
  private func task(_ pairs: [(clean: [Int], corrupted: [Int], right: Int, wrong: Int)]) -> CausalTask {
    CausalTask(
      clean: pairs.map(\.clean), corrupted: pairs.map(\.corrupted), others: pairs.map(\.corrupted),
      questions: pairs.map {
        Question(position: $0.clean.count - 1, right: [$0.right], wrong: [$0.wrong])
      }, metric: .logitDifference)
  }

  /// A pattern of eight tokens that begins again; the other prompt's pattern has another token where the answer stood.
  private func repeated(_ count: Int, seed: UInt64) -> CausalTask {
    var random = SeededGenerator(seed: seed)
    return task(
      (0..<count).map { _ in
        let pattern = Array(random.permutation(of: 20).prefix(9))
        let place = 1 + random.index(below: 6)
        var other = Array(pattern.prefix(8))
        other[place + 1] = pattern[8]
        func prompt(_ first: [Int]) -> [Int] { first + pattern[...place] }
        return (prompt(Array(pattern.prefix(8))), prompt(other), pattern[place + 1], pattern[8])
      })
  }

  /// Six letters whose least is to be said first when they are sorted.
  private func sorted(_ count: Int, seed: UInt64) -> CausalTask {
    var random = SeededGenerator(seed: seed)
    var pairs: [(clean: [Int], corrupted: [Int], right: Int, wrong: Int)] = []
    while pairs.count < count {
      func draw() -> [Int] { (0..<6).map { _ in random.index(below: 3) } }
      let (one, two) = (draw(), draw())
      guard let least = one.min(), let other = two.min(), least != other else { continue }
      pairs.append((one, two, least, other))
    }
    return task(pairs)
  }

  @Test(.enabled(if: SharedReference.isPresent, "the published models are not here"))
  func thePeriodicInductionModelsHeadsAreFound() throws {
    let model = try Transformer(
      folder: SharedReference.path("models/tiny-periodic-induction-2l4h"))
    let judged = try JudgedRanking(model, ranked: repeated(100, seed: 1), judged: repeated(100, seed: 2))
    #expect(judged.isTrue.contains(true) && judged.isTrue.contains(false), "\(judged.effects)")
    #expect(try judged.area() >= 0.9, "\(judged.scores) beside \(judged.effects)")
    #expect((rankCorrelation(judged.scores, judged.effects.map(abs)) ?? 0) > 0.7)
  }

  @Test(.enabled(if: SharedReference.isPresent, "the published models are not here"))
  func theSortingModelsHeadsAreFound() throws {
    let model = try Transformer(folder: SharedReference.path("models/llm-viz-gpt-nano-sort"))
    let judged = try JudgedRanking(model, ranked: sorted(100, seed: 1), judged: sorted(100, seed: 2))
    #expect(judged.isTrue.contains(true), "\(judged.effects)")
    if judged.isTrue.contains(false) {
      #expect(try judged.area() >= 0.9, "\(judged.scores) beside \(judged.effects)")
    }
    #expect((rankCorrelation(judged.scores, judged.effects.map(abs)) ?? 0) > 0.7)
  }

  @Test(arguments: ["reverse", "sort", "follow"])
  func compiledProgramsRunAndTheirHeadsAreFound(program: String) throws {
    let folder = packageFolder + "/Tests/CircuitDiscoveryTests/Golden/tracr/" + program
    let model = try Transformer(folder: folder)
    let prompts = try PromptSet(
      readPrompts(at: folder + "/prompts.jsonl"), task: program, seed: 0,
      limits: PromptLimits(modelFolder: folder))
    // Every answer is what tracr's own run of the program said.
    #expect(try model.answerScores(prompts, metric: nil, tokenLimit: 1024).allSatisfy(\.isRight))
    let task = try prompts.causalTask(needsPairs: true)
    let half = task.clean.count / 2
    let judged = try JudgedRanking(
      model, ranked: task.selecting(Array(0..<half)), judged: task.selecting(Array(half..<task.clean.count)))
    let used = try JSONDecoder().decode(
      [[Int]].self, from: Data(contentsOf: URL(fileURLWithPath: folder + "/heads.json")))
    let unused = Set(judged.effects.indices).subtracting(
      used.map { $0[0] * model.configuration.heads + $0[1] })
    // A head that the compiler did not use does nothing, and is given nothing.
    for head in unused { #expect(abs(judged.effects[head]) < 1e-6 && judged.scores[head] < 1e-5) }
    if judged.isTrue.contains(false) { #expect(try judged.area() == 1) }
  }
}
