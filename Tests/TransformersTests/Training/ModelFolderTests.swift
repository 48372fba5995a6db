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
    let (name, architecture) = trainableVariants[variant]
    let layout = ParameterLayout(architecture)
    let parameters = GradientTests.parameters(layout)
    var pass = TrainingPass(layout)
    let batch = PackedBatch(Self.prompts.map { TrainingExample(tokens: $0, targets: []) })
    let expected = pass.logits(batch, parameters: parameters).values
    func worst(_ found: [Float]) -> Float {
      zip(found, expected).map { ($0 - $1).magnitude }.max() ?? .infinity
    }
    let inMemory = layout.transformer(parameters)
    #expect(worst(try Self.logits(inMemory)) < 1e-5, "\(name) in memory")
    #expect(try TrainableArchitecture(inMemory) == architecture)
    let returned = try layout.parameters(of: inMemory)
    for slice in layout.slices {
      #expect(layout.tensor(slice, of: returned) == layout.tensor(slice, of: parameters), "\(slice.name)")
    }

    try withTemporaryFolder { folder in
      try layout.write(parameters, toFolder: folder, beginningToken: 2)
      let loaded = try Transformer(folder: folder)
      #expect(loaded.configuration.family == (layout.isGPT2 ? "gpt2" : "headlamp"))
      #expect(worst(try Self.logits(loaded)) < 1e-5, "\(name) on disk")
    }
  }

  @Test func namesWhatCannotBeTrained() throws {
    let layout = ParameterLayout(trainableVariants[0].architecture)
    let model = layout.transformer(layout.initialParameters(seed: 1))
    var configuration = model.configuration
    configuration.logitCap = 30
    let capped = Transformer(configuration: configuration, weights: model.weights)
    #expect(throws: TrainingError.notTrainable(part: "capped logits")) { try TrainableArchitecture(capped) }
  }
}
