// Golden/gpt2-training.py makes the numbers: gradients and AdamW steps of a tiny GPT-2 in PyTorch.

import Checkpoints
import Foundation
import Tensors
import TestSupport
import Testing

@testable import Transformers

@Suite struct GPT2TrainingTests {
  static let folder = packageFolder + "/Tests/TransformersTests/Golden/gpt2-training"

  /// The model, its layout and the golden file's examples: every token predicts the next.
  static func load() throws -> (ParameterLayout, Tensor, SafetensorsFile, [TrainingExample]) {
    let model = try Transformer(folder: folder)
    let layout = ParameterLayout(model)
    let expected = try SafetensorsFile(path: folder + "/expected.safetensors")
    let ids = try expected.integers("input_ids")
    let lengths = try expected.integers("lengths")
    let width = ids.count / lengths.count
    let examples = lengths.enumerated().map { row, length in
      TrainingExample(predictingEveryTokenOf: Array(ids[row * width..<row * width + length]))
    }
    return (layout, try layout.parameters(), expected, examples)
  }

  /// The largest difference of any parameter from the golden tensors, relative to each one's largest element.
  ///
  /// The bias of keys is left out: it shifts all scores of a query alike, so its gradient is rounding error around 0,
  /// which Adam blows up to steps of any sign.
  static func worst(
    _ found: Tensor, _ layout: ParameterLayout, _ expected: SafetensorsFile, prefix: String
  ) throws -> Double {
    var worst = 0.0
    for slice in layout.slices {
      let name = prefix + Transformer.gpt2Name(of: slice.parameter).replacing("transformer.", with: "")
      let golden = try expected.tensor(name, shape: slice.shape).values
      let size = golden.map(\.magnitude).max() ?? 1
      let keys = slice.count / 3..<2 * slice.count / 3
      for (index, (a, b)) in zip(layout.tensor(slice, of: found).values, golden).enumerated()
      where !(slice.name.hasSuffix("b_QKV") && keys.contains(index)) {
        worst = max(worst, Double((a - b).magnitude / max(size, 1e-6)))
      }
    }
    return worst
  }

  @Test func gradientsEqualPyTorch() throws {
    let (layout, parameters, expected, examples) = try Self.load()
    let batch = PackedBatch(examples)
    var pass = TrainingPass(layout)
    var gradient = ParameterGradient(layout)
    let mean = PackedBatch(examples, weightScale: 1 / Float(batch.targets.count))
    let outcomes = try pass.addGradient(of: mean, parameters: parameters, to: &gradient)
    let loss = outcomes.reduce(0) { $0 + $1.loss } / Double(outcomes.count)
    #expect(abs(loss - Double(try expected.tensor("loss")[0])) < 1e-6)
    #expect(try Self.worst(gradient.values, layout, expected, prefix: "gradient.") < 1e-5)
  }

  @Test func adamWEqualsPyTorch() throws {
    let (layout, start, expected, examples) = try Self.load()
    var parameters = start
    var state = AdamWState(count: layout.count)
    var pass = TrainingPass(layout)
    let optimizer = AdamW(weightDecay: 0.1, largestNorm: 0.5)
    let norms = try expected.tensor("norms").values
    let mean = PackedBatch(examples, weightScale: 1 / Float(PackedBatch(examples).targets.count))
    for (step, rate) in try expected.tensor("rates").values.enumerated() {
      var gradient = ParameterGradient(layout)
      _ = try pass.addGradient(of: mean, parameters: parameters, to: &gradient)
      let norm = optimizer.update(
        &parameters, gradient: gradient.values, state: &state, learningRate: Double(rate),
        decaying: layout.decaying,
        notDecaying: layout.notDecaying)
      #expect(abs(norm / Double(norms[step]) - 1) < 1e-4)
    }
    #expect(try Self.worst(parameters, layout, expected, prefix: "after.") < 2e-4)
  }

  @Test func theTrainerTakesTheSameSteps() throws {
    let (layout, start, expected, examples) = try Self.load()
    var trainer = Trainer(
      layout: layout, optimizer: AdamW(weightDecay: 0.1, largestNorm: 0.5),
      schedule: .init(peak: 0.005, warmUp: 1, steps: 2), parameters: start)
    let outcomes = try trainer.step(examples)
    let loss = outcomes.reduce(0) { $0 + $1.loss } / Double(outcomes.count)
    #expect(abs(loss - Double(try expected.tensor("loss")[0])) < 1e-6)
    #expect(trainer.state.step == 1)
    #expect(trainer.parameters != start)
  }
}
