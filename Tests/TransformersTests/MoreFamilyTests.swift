// More families, their options and kinds of rotary positions: values at all hook points with padding, and gradients at hook
// points and of parameters. Golden/more_families.py makes the numbers with Hugging Face transformers 5.24.0; see there.

import Foundation
import Tensors
import TestSupport
import Testing

@testable import Transformers

@Suite struct MoreFamilyTests {
  private static let folder = packageFolder + "/Tests/TransformersTests/Golden/more/"

  static let names = (try? FileManager.default.contentsOfDirectory(atPath: folder).sorted()) ?? []

  @Test func noModelIsForgotten() {
    #expect(Self.names.count == 36)
    let families = Set(Self.names.map { String($0.prefix { $0 != "-" }) })
    // The families of `FamilyTests` have folders of their own, and the project's own layout has no other program.
    let known = [
      "headlamp", "gpt2", "gpt_neo", "gpt_neox", "mistral", "qwen2", "qwen3", "gemma2", "gemma3_text",
    ]
    #expect(Set(Transformers.families.map { $0.modelType }) == families.union(known))
  }

  @Test(arguments: names)
  func everyValueEqualsItsOwnImplementation(name: String) throws {
    let model = try Transformer(folder: Self.folder + name)
    let reference = try ReferenceActivations(
      path: Self.folder + name + "/expected.safetensors", layers: model.configuration.layers)
    #expect(reference.unrecognised.isEmpty)
    for row in try model.verify(against: reference) {
      #expect(row.largestError <= 1e-4, "\(row.name) of \(name)")
    }
  }

  @Test(arguments: names)
  func everyHookPointsGradientEqualsAutograd(name: String) throws {
    try GoldenGradients(folder: Self.folder + name).checkHookPoints()
  }

  /// OPT-350m's embeddings are multiplied by their matrices as they are loaded, so theirs alone are not the checkpoint's.
  @Test(arguments: names.filter { $0 != "opt-projected" })
  func everyParametersGradientEqualsAutograd(name: String) throws {
    try GoldenGradients(folder: Self.folder + name).checkParameters()
  }

  private static let secondFolder = packageFolder + "/Tests/TransformersTests/Golden/second/"

  /// Every family, option and rotary kind, those of `FamilyGradientTests` too, with other weights and prompts:
  /// Golden/second_seeds.py.
  static let secondNames =
    (try? FileManager.default.contentsOfDirectory(atPath: secondFolder).sorted()) ?? []

  @Test func noSecondSeedIsForgotten() throws {
    let first = try FileManager.default.contentsOfDirectory(
      atPath: packageFolder + "/Tests/TransformersTests/Golden/gradients")
    #expect(Set(Self.secondNames) == Set(Self.names).union(first))
  }

  @Test(arguments: secondNames)
  func valuesAndGradientsOfASecondSeed(name: String) throws {
    let model = try Transformer(folder: Self.secondFolder + name)
    let reference = try ReferenceActivations(
      path: Self.secondFolder + name + "/expected.safetensors", layers: model.configuration.layers)
    #expect(reference.unrecognised.isEmpty)
    for row in try model.verify(against: reference) {
      #expect(row.largestError <= 2e-4, "\(row.name) of \(name)")
    }
    try GoldenGradients(folder: Self.secondFolder + name).checkHookPoints()
  }

  @Test(arguments: names)
  func headOutputsEqualResults(name: String) throws {
    let model = try Transformer(folder: Self.folder + name)
    let batch = TokenBatch([[3, 4, 5, 6], [3, 4], [7]])
    let layers = model.configuration.layers
    let run = try model.run(batch, reading: Set((0..<layers).map { .result(layer: $0) }))
    let ends = try model.headOutputs(of: batch, pooling: .last)
    for layer in 0..<layers {
      for prompt in 0..<batch.count {
        let expected = run[.result(layer: layer)].row(prompt).row(batch.lengths[prompt] - 1)
        #expect(largestDifference(ends.row(prompt).row(layer), expected) < 1e-5, "\(name) \(layer)")
      }
    }
  }
}
