// Gradients of a metric at every hook point, and of every parameter, of ten families against PyTorch's autograd.
// Golden/family_gradients.py makes the numbers with Hugging Face transformers 5.24.0 and torch; see there.

import Checkpoints
import Files
import Foundation
import Tensors
import TestSupport
import Testing

@testable import Transformers

/// The golden files' metric: logits[a] − logits[b] at a later position plus log p(c) at an earlier one.
private struct TwoPlaceMetric: LogitMetric {
  var tokens: [[Int]]
  /// Later, then earlier.
  var places: [[Int]]

  func positions(ofPrompt prompt: Int) -> [Int] { places[prompt].sorted() }

  func selecting(_ prompts: [Int]) -> TwoPlaceMetric {
    TwoPlaceMetric(tokens: prompts.map { tokens[$0] }, places: prompts.map { places[$0] })
  }

  func evaluate(prompt: Int, logits: Tensor, gradient: inout Tensor) -> Double {
    let (tokens, early) = (tokens[prompt], logits.rows(0..<1).values.map(Double.init))
    let total = log(early.reduce(0) { $0 + exp($1) })
    for (token, value) in early.enumerated() { gradient[0, token] -= Float(exp(value - total)) }
    gradient[0, tokens[2]] += 1
    gradient[1, tokens[0]] += 1
    gradient[1, tokens[1]] -= 1
    return Double(logits[1, tokens[0]] - logits[1, tokens[1]]) + early[tokens[2]] - total
  }
}

@Suite struct FamilyGradientTests {
  private let folder = packageFolder + "/Tests/TransformersTests/Golden/gradients/"

  private func load(_ family: String) throws -> (Transformer, TokenBatch, TwoPlaceMetric, SafetensorsFile) {
    let model = try Transformer(folder: folder + family)
    let file = try SafetensorsFile(path: folder + family + "/gradients.safetensors")
    func rows(_ name: String, _ width: Int) throws -> [[Int]] {
      let values = try file.integers(name)
      return stride(from: 0, to: values.count, by: width).map { Array(values[$0..<$0 + width]) }
    }
    let mask = try rows("attention_mask", 7)
    let prompts = zip(try rows("input_ids", 7), mask).map { ids, mask in Array(ids.prefix(mask.reduce(0, +)))
    }
    let metric = TwoPlaceMetric(tokens: try rows("metric_tokens", 3), places: try rows("metric_positions", 2))
    return (model, TokenBatch(prompts), metric, file)
  }

  /// The largest difference, relative to the largest golden value.
  private func error(_ found: Tensor, _ golden: Tensor) -> Float {
    let size = golden.values.map(\.magnitude).max() ?? 0
    return largestDifference(found, golden) / max(size, 1e-6)
  }

  @Test(arguments: FamilyTests.families)
  func everyHookPointEqualsAutograd(family: String) throws {
    let (model, batch, metric, file) = try load(family)
    let names = file.names.filter { $0.hasPrefix("gradient.") }
    let points = try names.map { name in
      try #require(HookPoint(String(name.dropFirst("gradient.".count))), "\(name)")
    }
    let all = HookPoint.all(layers: model.configuration.layers)
    let absent = all.filter { !points.contains($0) }
    #expect(
      absent.allSatisfy { point in
        #expect(throws: TransformerError.self) {
          try model.gradients(of: metric, batch, at: [point])
        } != nil
      }, "\(absent) are not in the golden file")

    let run = try model.gradients(of: metric, batch, at: Set(points))
    let values = try file.tensor("metric").values
    for (found, golden) in zip(run.metric, values) { #expect(abs(found - Double(golden)) < 1e-4) }
    for (name, point) in zip(names, points) {
      let golden = try file.tensor(name)
      #expect(error(run.gradients[point].reshaped(golden.shape), golden) < 1e-4, "\(point) of \(family)")
      // Alone, a place is reached by the usual ways through the block.
      let single = try model.gradients(of: metric, batch, at: [point], reading: [point])
      let alone = single.gradients[point]
      #expect(alone.shape == single.values[point].shape, "\(point)")
      #expect(error(alone.reshaped(golden.shape), golden) < 1e-4, "\(point) of \(family), alone")
    }
  }

  @Test(arguments: FamilyTests.families)
  func everyParameterEqualsAutograd(family: String) throws {
    let (model, batch, metric, _) = try load(family)
    // A checkpoint whose tensors are the gradients, under the same names.
    let golden = try Transformer(folder: folder + family + "/parameters")
    let gradient = try model.parameterGradient(of: metric, batch).gradient
    for slice in gradient.layout.slices {
      let expected = try #require(golden.weights[slice.parameter]).tensor()
      let found = gradient.layout.tensor(slice, of: gradient.values)
      if "\(slice.parameter)".hasSuffix("b_K") { continue }  // zero but for rounding
      #expect(error(found, expected) < 2e-4, "\(slice.name) of \(family)")
    }
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
