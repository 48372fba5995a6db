// Models with circuits set by hand do their tasks by just those heads.

import CausalMethods
@testable import CircuitDiscovery
import Foundation
import Tensors
import TestSupport
import Testing
import Transformers

@Suite struct PlantedModelTests {
  @Test(arguments: PlantedRecipe.all.map(\.name))
  func replacingHeadsFindsTheCircuit(name: String) throws {
    let recipe = try #require(PlantedRecipe.all.first { $0.name == name })
    try withTemporaryFolder { folder in
      // Writing refuses a model whose acting heads are not the planted ones.
      try recipe.write(toFolder: folder, examples: 60)
      let spec = try TaskSpec(path: folder + "/task.json")
      let truth = try #require(spec.truths.first { $0.name == "planted" })
      #expect(truth.heads.count >= 2)
      #expect(Set(spec.truths.map(\.name)).isSuperset(of: ["planted", "pair", "mean"]))
      #expect(try Transformer(folder: folder).configuration.layers == truth.layers)
    }
  }

  @Test func theSameSeedGivesTheSameBytes() throws {
    try withTemporaryFolder { folder in
      for copy in ["a", "b"] {
        try FileManager.default.createDirectory(
          atPath: folder + "/" + copy, withIntermediateDirectories: true)
        try PlantedRecipe.all[0].write(toFolder: folder + "/" + copy, examples: 20)
      }
      for file in ["model.safetensors", "task.json", "tokenizer.json", "config.json"] {
        #expect(
          FileManager.default.contents(atPath: "\(folder)/a/\(file)")
            == FileManager.default.contents(atPath: "\(folder)/b/\(file)"), "\(file)")
      }
    }
  }

  @Test(arguments: PlantedRecipe.all.map(\.name).filter { $0.hasSuffix("backup") })
  func backupsActWhereTheFirstIsGone(name: String) throws {
    let recipe = try #require(PlantedRecipe.all.first { $0.name == name })
    let planted = recipe.model()
    try withTemporaryFolder { folder in
      try recipe.write(toFolder: folder, examples: 20)
      let spec = try TaskSpec(path: folder + "/task.json")
      let prompts = try spec.promptSet(examples: 40, seed: 3, limits: PromptLimits(modelFolder: folder))
      let task = try prompts.causalTask(needsPairs: true)
      var options = AttributionOptions()
      options.replacement = .zero
      let first = try #require(planted.acting.last?.heads.last)
      let second = try #require(planted.backups.first)
      func node(_ head: HeadIndex) -> GraphNode { .head(layer: head.layer, head: head.head) }
      let targets = [[node(first)], [node(second)], [node(first), node(second)]].map {
        InterventionTarget($0.map(\.description).joined(separator: "+"), $0)
      }
      let left = try InterventionStudy(planted.model, task, options).effects(of: targets) { _, _ in }.values
      let whole = try planted.model.answerScores(prompts, metric: nil, tokenLimit: 2048).map(\.margin)
      func share(_ values: [Double]) -> Double { values.reduce(0, +) / whole.reduce(0, +) }
      // Without the first the second does the work; without the second nothing is lost; without both all is.
      #expect(share(left[0]) > 0.8)
      #expect(abs(share(left[1]) - 1) < 1e-3)
      #expect(abs(share(left[2])) < 0.05)
    }
  }
}
