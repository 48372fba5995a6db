// Taking codes away from heads.

import CausalMethods
@testable import CircuitDiscovery
import SparseAutoencoders
import Tensors
import TestSupport
import Testing
import Transformers

@Suite struct CodeAblationTests {
  /// Every direction of the stream, forwards and backwards, as a code of its own: together they are the whole output.
  static func wholeBasis(_ width: Int) -> CodeDictionary {
    var rows = [Float](repeating: 0, count: 2 * width * width)
    for column in 0..<width {
      rows[column * width + column] = 1
      rows[(width + column) * width + column] = -1
    }
    let directions = Tensor(rows, shape: [2 * width, width])
    return CodeDictionary(name: "basis", directions: directions) { outputs in
      var activations = matrixProduct(outputs, directions, transposingB: true)
      activations.activate(.relu)
      return activations
    }
  }

  @Test(arguments: ["gpt2", "llama"], [SourceReplacement.pair, .zero])
  func allCodesOfAHeadAreTheHead(family: String, replacement: SourceReplacement) throws {
    let (model, task) = try CodeAttributionTests.study(family, prompts: 6)
    let dictionary = Self.wholeBasis(model.configuration.dModel)
    for head in [0, model.configuration.headCount - 1] {
      let codes = (0..<dictionary.features).map { HeadCode(head: head, code: $0) }
      let byCodes = try model.metric(
        of: task, ablating: codes, of: dictionary, replacement: replacement)
      let whole = try model.metric(of: task, ablating: [head], replacement: replacement)
      for (one, two) in zip(byCodes, whole) { #expect(abs(one - two) < 1e-4, "\(one) and \(two)") }
    }
  }

  @Test func noCodesAndNoHeadsLeaveTheModelAlone() throws {
    let (model, task) = try CodeAttributionTests.study("gpt2", prompts: 6)
    let dictionary = Self.wholeBasis(model.configuration.dModel)
    let clean = try model.values(of: LogitDifference(task.questions), TokenBatch(task.clean))
    let codes = try model.metric(of: task, ablating: [HeadCode](), of: dictionary, replacement: .pair)
    let heads = try model.metric(of: task, ablating: [], replacement: .pair)
    for index in clean.indices {
      #expect(abs(codes[index] - clean[index]) < 1e-5 && abs(heads[index] - clean[index]) < 1e-5)
    }
  }

  @Test func curvesCountDimensions() throws {
    let (model, task) = try CodeAttributionTests.study("gpt2", prompts: 6)
    let dictionary = Self.wholeBasis(model.configuration.dModel)
    let found = try model.attributeCodes(task, HeadPathOptions(), dictionaries: [dictionary])
    let curves = try model.ablationCurves(task, found.attributions, replacement: .pair, heads: 2)
    let width = model.configuration.dHead
    #expect(curves.map(\.name) == ["basis", "whole heads"])
    #expect(curves[0].dimensions.first == 1 && curves[0].dimensions.last == 2 * width)
    #expect(curves[1].dimensions == [width, 2 * width])
    for curve in curves {
      #expect(curve.lost.count == curve.dimensions.count && curve.intervals.count == curve.lost.count)
    }
  }

  @Test func theBestHeadsOfARankingDoTheTaskBetter() throws {
    let recipe = PlantedRecipe.all[1]
    let planted = recipe.model()
    let heads = planted.model.configuration.headCount
    let perLayer = PlantedRecipe.headsPerLayer
    let acting = Set(planted.acting.flatMap(\.heads).map { $0.layer * perLayer + $0.head })
    let task = try withTemporaryFolder { folder in
      try recipe.write(toFolder: folder, examples: 20)
      let spec = try TaskSpec(path: folder + "/task.json")
      return try spec.promptSet(examples: 30, seed: 3, limits: PromptLimits(modelFolder: folder))
        .causalTask(needsPairs: true)
    }
    var study = HeadFaithfulness(planted.model, task, .pair)
    let good = try study.curve((0..<heads).map { acting.contains($0) ? 1 : 0 })
    let bad = try study.curve((0..<heads).map { acting.contains($0) ? 0 : 1 })
    #expect(abs(good.faithfulness[0]) < 1e-6 && abs((good.faithfulness.last ?? 0) - 1) < 1e-6)
    #expect(good.cpr > 0.9 && good.cmd < 0.1)
    #expect(bad.cpr < 0.2 && bad.cmd > 0.8)
  }
}
