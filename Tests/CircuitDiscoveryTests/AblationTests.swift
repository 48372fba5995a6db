// Ablation against the same thing done by hand, prompt by prompt; truths written into a spec.

import CircuitDiscovery
import Files
import Foundation
import TestSupport
import Tensors
import Testing
import Transformers

@Suite struct AblationTests {
  /// Token prompts of two lengths for a model of 64 tokens or more.
  static func prompts() throws -> PromptSet {
    var generator = SeededGenerator(seed: 4)
    let prompts = (0..<10).flatMap { number -> [Prompt] in
      let length = number.isMultiple(of: 3) ? 5 : 7
      let tokens = (0..<2).map { _ in (0..<length).map { _ in generator.index(below: 60) } }
      return [
        Prompt(
          .tokens(tokens[0]), isPositive: true, answers: [.token(3)], wrong: [.token(4), .token(5)],
          pair: number),
        Prompt(.tokens(tokens[1]), isPositive: false, pair: number),
      ]
    }
    return try PromptSet(prompts, task: "t", seed: 0, limits: PromptLimits())
  }

  static func model() throws -> Transformer { try Transformer(folder: SharedReference.path("families/gpt2")) }

  private func margin(_ logits: Tensor) -> Double {
    let row = logits.values
    return Double(row[3]) - (Double(row[4]) + Double(row[5])) / 2
  }

  @Test(.enabled(if: SharedReference.isPresent), arguments: HeadReplacement.allCases)
  func everyHeadIsReplacedAsSaid(replacement: HeadReplacement) throws {
    let (model, set) = (try Self.model(), try Self.prompts())
    let ablation = try HeadAblation(of: set, model: model, replacement: replacement, tokenLimit: 12)
    let (heads, width) = (model.configuration.heads, model.configuration.dHead)
    #expect(ablation.margins.count == model.configuration.layers * heads)
    let positives = set.prompts.filter(\.isPositive)
    for (index, prompt) in positives.enumerated() {
      let batch = TokenBatch([prompt.tokens])
      let base = margin(try model.nextTokenLogits(batch))
      #expect(abs(ablation.baseline[index].margin - base) < 1e-5)
      let donors = set.prompts.filter { other in
        switch replacement {
        case .pair: !other.isPositive && other.pair == prompt.pair
        case .negatives: !other.isPositive && other.tokens.count == prompt.tokens.count
        case .prompts: other.tokens.count == prompt.tokens.count
        }
      }
      for layer in 0..<model.configuration.layers {
        let point = HookPoint.z(layer: layer)
        let values = try donors.map { try model.run(TokenBatch([$0.tokens]), reading: [point])[point].values }
        for head in 0..<heads {
          let edit = Edit { value, _ in
            value.withMutableValues { span in
              for place in span.indices where place / width % heads == head {
                span[place] = values.reduce(0) { $0 + $1[place] } / Float(values.count)
              }
            }
          }
          let changed = margin(try model.nextTokenLogits(batch, applying: [point: edit]))
          #expect(abs(ablation.margins[layer * heads + head][index] - changed) < 1e-5)
        }
      }
    }
  }

  @Test(.enabled(if: SharedReference.isPresent))
  func effectsAreSharesOfTheMeanMargin() throws {
    let ablation = try HeadAblation(of: Self.prompts(), model: Self.model())
    for effect in ablation.effects(seed: 1) {
      let margins = ablation.margins[effect.head.layer * ablation.headsPerLayer + effect.head.head]
      let loss = ablation.baselineMargin - margins.reduce(0, +) / Double(margins.count)
      #expect(abs(effect.effect - loss / ablation.baselineMargin) < 1e-9)
      #expect(effect.low <= effect.high)
    }
    #expect(ablation.effects(seed: 1) == ablation.effects(seed: 1))
  }

  @Test(.enabled(if: SharedReference.isPresent))
  func aPromptThatIsItsOwnNegativeLosesNothing() throws {
    let prompt = Prompt(
      .tokens([1, 2, 3]), isPositive: true, answers: [.token(3)], wrong: [.token(4)], pair: 0)
    let same = Prompt(.tokens([1, 2, 3]), isPositive: false, pair: 0)
    let set = try PromptSet([prompt, same], task: "t", seed: 0, limits: PromptLimits())
    for replacement in HeadReplacement.allCases {
      let ablation = try HeadAblation(of: set, model: Self.model(), replacement: replacement)
      let base = ablation.baseline[0].margin
      #expect(ablation.margins.allSatisfy { abs($0[0] - base) < 1e-5 })
    }
  }

  @Test(.enabled(if: SharedReference.isPresent))
  func probabilitiesAreOfAllAnswersTogether() throws {
    let (model, set) = (try Self.model(), try Self.prompts())
    let scores = try model.answerScores(set, metric: .probabilityDifference)
    for (prompt, score) in zip(set.prompts.filter(\.isPositive), scores) {
      let logits = try model.nextTokenLogits(TokenBatch([prompt.tokens])).values.map(Double.init)
      let highest = logits.max() ?? 0
      let exponentials = logits.map { exp($0 - highest) }
      let total = exponentials.reduce(0, +)
      #expect(abs(score.margin - (exponentials[3] - exponentials[4] - exponentials[5]) / total) < 1e-6)
      #expect(score.isRight == (logits[3] == highest))
    }
  }

  @Test(.enabled(if: SharedReference.isPresent))
  func promptsThatCannotBeMeasuredAreRefused() throws {
    let model = try Self.model()
    func ablate(_ prompts: [Prompt], _ replacement: HeadReplacement) throws {
      _ = try HeadAblation(
        of: PromptSet(prompts, task: "t", seed: 0, limits: PromptLimits()), model: model,
        replacement: replacement)
    }
    let good = Prompt(.tokens([1, 2]), isPositive: true, answers: [.token(3)], wrong: [.token(4)], pair: 0)
    var silent = good
    silent.wrong = []
    #expect(throws: TaskError.badPrompt(source: "t", prompt: 0, problem: "it has no wrong answer to measure"))
    {
      try ablate([silent], .prompts)
    }
    #expect(throws: TaskError.noNegatives(source: "t", prompts: 1)) { try ablate([good], .negatives) }
    let longer = Prompt(.tokens([1, 2, 3]), isPositive: false, pair: 0)
    for replacement in [HeadReplacement.negatives, .pair] {
      #expect(throws: TaskError.self) { try ablate([good, longer], replacement) }
    }
    try ablate([good, longer], .prompts)
  }

  @Test func aMeasuredTruthIsStoredInItsSpec() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/task.json"
      try writeFile(TaskSpecTests.sound, to: path)
      var task = try TaskSpec(path: path)
      let effects = [
        HeadMeasurement.Effect(head: HeadIndex(layer: 1, head: 2), effect: 0.25, low: 0.1, high: 0.4)
      ]
      let truth = GroundTruth(
        name: "ablation", model: "toy", layers: 2, headsPerLayer: 3, source: "a test",
        groups: [GroundTruth.Group(heads: [HeadIndex(layer: 1, head: 2)])],
        measurement: HeadMeasurement(
          madeBy: [JSONMember("seed", .integer(4))], threshold: 0.05, effects: effects))
      try task.write(truth)
      #expect(try task.truth(named: "ablation") == truth)
      #expect(try TaskSpec(path: path) == task)
      let text = try readText(at: path)
      try task.write(truth)
      #expect(try readText(at: path) == text)
      #expect(task.truths.map(\.name) == ["mine", "ablation"])
      #expect(try JSONValue(parsing: text).text() == text)
    }
  }
}
