// Gradients of a metric at every hook point, and of every parameter, of ten families against PyTorch's autograd.
// Golden/family_gradients.py makes the numbers with Hugging Face transformers 5.24.0 and torch; see there.

import Checkpoints
import Files
import Foundation
import Tensors
import TestSupport
import Testing

@testable import Transformers

@Suite struct FamilyGradientTests {
  private let folder = packageFolder + "/Tests/TransformersTests/Golden/gradients/"

  private func load(_ family: String) throws -> (Transformer, TokenBatch, TwoPlaceMetric, SafetensorsFile) {
    let golden = try GoldenGradients(folder: folder + family)
    return (golden.model, golden.batch, golden.metric, golden.file)
  }

  @Test(arguments: FamilyTests.families)
  func everyHookPointEqualsAutograd(family: String) throws {
    try GoldenGradients(folder: folder + family).checkHookPoints()
  }

  @Test(arguments: FamilyTests.families)
  func everyParameterEqualsAutograd(family: String) throws {
    try GoldenGradients(folder: folder + family).checkParameters()
  }

  @Test func aPromptsGradientsDoNotDependOnTheOthers() throws {
    let (model, batch, metric, _) = try load("gemma2")
    let points: Set<HookPoint> = [.z(layer: 0), .mlpOut(layer: 1), .embedding]
    let together = try model.gradients(of: metric, batch, at: points)
    for prompt in 0..<batch.count {
      let alone = try model.gradients(
        of: metric.selecting([prompt]), TokenBatch([batch.prompt(prompt)]), at: points)
      #expect(abs(alone.metric[0] - together.metric[prompt]) < 1e-5)
      for point in points {
        let length = batch.lengths[prompt]
        let row = together.gradients[point].row(prompt).rows(0..<length)
        #expect(largestDifference(alone.gradients[point].row(0), row) < 1e-5, "\(point)")
      }
    }
  }

  @Test func editsPassGradientsOnByTheirAdjoints() throws {
    let (model, batch, metric, _) = try load("llama")
    let point = HookPoint.z(layer: 0)
    let free = try model.gradients(of: metric, batch, at: [point, .residPre(layer: 0)], reading: [point])
    // Stopped or replaced, nothing reaches what comes before through this place alone; the rest stays.
    let stopped = try model.gradients(
      of: metric, batch, at: [.residPre(layer: 0), point], applying: [point: .stoppingGradient])
    let replaced = try model.gradients(
      of: metric, batch, at: [.residPre(layer: 0), point],
      applying: [point: .replacing(with: free.values[point])])
    let same = largestDifference(
      stopped.gradients[.residPre(layer: 0)], replaced.gradients[.residPre(layer: 0)])
    #expect(same < 1e-6)
    #expect(largestDifference(stopped.gradients[point], free.gradients[point]) < 1e-6)
    let moved = largestDifference(
      stopped.gradients[.residPre(layer: 0)], free.gradients[.residPre(layer: 0)])
    #expect(moved > 1e-3)
  }

  @Test func metricsThatAreNotNumbersAreRefused() throws {
    struct Broken: LogitMetric {
      func positions(ofPrompt prompt: Int) -> [Int] { [0] }
      func selecting(_ prompts: [Int]) -> Broken { self }
      func evaluate(prompt: Int, logits: Tensor, gradient: inout Tensor) -> Double { prompt == 1 ? .nan : 0 }
    }
    let (model, batch, _, _) = try load("gpt2")
    let error = #expect(throws: TransformerError.self) {
      try model.gradients(of: Broken(), batch, at: [.z(layer: 0)])
    }
    guard case .metricNotFinite(prompt: 1, _) = error else { return #expect(Bool(false), "\(error as Any)") }
  }
}
