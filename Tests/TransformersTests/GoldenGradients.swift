// A folder of golden gradients: a model, prompts, a metric, its gradient at every hook point and of every parameter, as
// Golden/family_gradients.py and Golden/more_families.py write them.

import Checkpoints
import Foundation
import Tensors
import TestSupport
import Testing

@testable import Transformers

/// The golden files' metric: logits[a] − logits[b] at a later position plus log p(c) at an earlier one.
struct TwoPlaceMetric: LogitMetric {
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

struct GoldenGradients {
  let folder: String
  let model: Transformer
  let batch: TokenBatch
  let metric: TwoPlaceMetric
  let file: SafetensorsFile

  init(folder: String) throws {
    self.folder = folder
    model = try Transformer(folder: folder)
    file = try SafetensorsFile(path: folder + "/gradients.safetensors")
    let file = file
    func rows(_ name: String) throws -> [[Int]] {
      let (values, width) = (try file.integers(name), try file.entry(name).shape[1])
      return stride(from: 0, to: values.count, by: width).map { Array(values[$0..<$0 + width]) }
    }
    batch = TokenBatch(
      zip(try rows("input_ids"), try rows("attention_mask")).map { ids, mask in
        Array(ids.prefix(mask.reduce(0, +)))
      })
    metric = TwoPlaceMetric(tokens: try rows("metric_tokens"), places: try rows("metric_positions"))
  }

  /// The largest difference, relative to the largest golden value.
  private func error(_ found: Tensor, _ golden: Tensor) -> Float {
    let size = golden.values.map(\.magnitude).max() ?? 0
    return largestDifference(found, golden) / max(size, 1e-6)
  }

  /// A gradient in the golden one's shape: keys and values that each query head has for itself are summed by group.
  private func summedOverReaders(_ gradient: Tensor, like golden: Tensor) -> Tensor {
    guard gradient.count != golden.count else { return gradient.reshaped(golden.shape) }
    let (width, groups) = (model.configuration.dHead, model.configuration.keyValueHeads)
    let rows = golden.count / (groups * width)
    return sumOverHeads(gradient.reshaped([rows * groups, gradient.count / golden.count, width]))
      .reshaped(golden.shape)
  }

  /// Every hook point's gradient equals the golden one, together with the others and alone; points that the golden file
  /// does not have are refused.
  func checkHookPoints() throws {
    let names = file.names.filter { $0.hasPrefix("gradient.") }
    let points = try names.map { name in
      try #require(HookPoint(String(name.dropFirst("gradient.".count))), "\(name)")
    }
    let all = HookPoint.all(layers: model.configuration.layers)
    // A second seed leaves out what each head reads.
    let omitsInputs = !points.contains { point in
      AttentionRole.allCases.contains { $0.input == point.blockPoint }
    }
    for point in all where !points.contains(point) {
      if omitsInputs, AttentionRole.allCases.contains(where: { $0.input == point.blockPoint }) { continue }
      #expect(throws: TransformerError.self, "\(point) is not in the golden file of \(folder)") {
        try model.gradients(of: metric, batch, at: [point])
      }
    }
    // Places that have a golden value and yet are refused, with the reason in the error.
    let refused = points.filter { point in (try? model.gradients(of: metric, batch, at: [point])) == nil }
    #expect(
      refused.allSatisfy { point in
        AttentionRole.allCases.contains { $0.input == point.blockPoint }
          && model.configuration.projectionLimit != nil
      }, "\(refused)")

    let run = try model.gradients(of: metric, batch, at: Set(points).subtracting(refused))
    let values = try file.tensor("metric").values
    for (found, golden) in zip(run.metric, values) { #expect(abs(found - Double(golden)) < 1e-4) }
    for (name, point) in zip(names, points) where !refused.contains(point) {
      let golden = try file.tensor(name)
      let found = summedOverReaders(run.gradients[point], like: golden)
      #expect(error(found, golden) < 1e-4, "\(point) of \(folder)")
      // Alone, a place is reached by the usual ways through the block.
      let single = try model.gradients(of: metric, batch, at: [point], reading: [point])
      let alone = single.gradients[point]
      #expect(alone.shape == single.values[point].shape, "\(point)")
      let sum = summedOverReaders(alone, like: golden)
      #expect(error(sum, golden) < 1e-4, "\(point) of \(folder), alone")
    }
  }

  /// Every parameter's gradient equals the golden one.
  func checkParameters() throws {
    // A checkpoint whose tensors are the gradients, under the same names.
    let golden = try Transformer(folder: folder + "/parameters")
    let gradient = try model.parameterGradient(of: metric, batch).gradient
    for slice in gradient.layout.slices {
      let expected = try #require(golden.weights[slice.parameter]).tensor()
      let found = gradient.layout.tensor(slice, of: gradient.values)
      if "\(slice.parameter)".hasSuffix("b_K") { continue }  // zero but for rounding
      #expect(error(found, expected) < 2e-4, "\(slice.name) of \(folder)")
    }
  }
}
