// Trained parameters as a model: in memory and on disk they give the training pass's own logits.

import Foundation
import Tensors
import TestSupport
import Testing

@testable import Transformers

@Suite struct ModelFolderTests {
  static let prompts = [[1, 4, 2, 6, 4], [0, 3, 3]]

  /// Logits of the forward pass that everything else uses, one row a token.
  static func logits(_ model: Transformer) throws -> [Float] {
    try prompts.flatMap { prompt in
      try model.run(TokenBatch([prompt]), reading: [.logits])[.logits].values
    }
  }

  @Test(arguments: trainableVariants.indices)
  func runsAsItWasTrained(variant: Int) throws {
    let (name, blueprint) = trainableVariants[variant]
    let (layout, parameters) = try GradientTests.parameters(blueprint)
    let model = layout.transformer(parameters)
    let expected = try Self.logits(model)
    func worst(_ found: [Float]) -> Float {
      zip(found, expected).map { ($0 - $1).magnitude }.max() ?? .infinity
    }
    let returned = try ParameterLayout(model).parameters()
    for slice in layout.slices {
      #expect(layout.tensor(slice, of: returned) == layout.tensor(slice, of: parameters), "\(slice.name)")
    }

    try withTemporaryFolder { folder in
      if name.contains("window") {
        #expect(throws: TrainingError.notStorable(part: "scaled embeddings")) {
          try model.write(toFolder: folder)
        }
        return
      }
      try model.write(toFolder: folder, beginningToken: 2)
      let loaded = try Transformer(folder: folder)
      #expect(loaded.configuration.family == (model.isGPT2 ? "gpt2" : "headlamp"))
      #expect(worst(try Self.logits(loaded)) < 1e-5, "\(name) on disk")
    }
  }

  @Test(.enabled(if: SharedReference.folder != nil), arguments: ["gpt_neox", "llama", "qwen2"])
  func aLoadedModelIsWrittenInTheProjectsLayout(family: String) throws {
    let model = try Transformer(folder: SharedReference.path("families/" + family))
    try withTemporaryFolder { folder in
      try model.write(toFolder: folder)
      let again = try Transformer(folder: folder)
      #expect(again.configuration.family == "headlamp")
      let prompts = TokenBatch([[5, 17, 3, 9, 30], [4, 4]])
      let (one, two) = (
        try model.run(prompts, reading: [.logits])[.logits],
        try again.run(prompts, reading: [.logits])[.logits]
      )
      #expect(largestDifference(one, two) < 1e-5)
    }
  }

  @Test func onlyGPT2ShapesAreWrittenAsGPT2() {
    let names = trainableVariants.filter { _, blueprint in
      blueprint.transformer().isGPT2
    }.map(\.name)
    #expect(names == ["gpt2", "untied head", "untied head with a bias", "tied head with a bias", "SiLU"])
  }
}
