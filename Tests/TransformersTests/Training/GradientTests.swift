// Every parameter's gradient against central differences of a double-precision transformer.

import Tensors
import Testing

@testable import Transformers

/// Small architectures that between them have every kind of parameter and every choice.
let trainableVariants: [(name: String, architecture: TrainableArchitecture)] = {
  let base = TrainableArchitecture(
    vocabulary: 7, context: 6, layers: 2, heads: 2, modelWidth: 6, mlp: .init(width: 5))
  func variant(_ change: (inout TrainableArchitecture) -> Void) -> TrainableArchitecture {
    var changed = base
    change(&changed)
    return changed
  }
  return [
    ("gpt2", base),
    ("untied head with a bias", variant { ($0.tiesUnembedding, $0.hasUnembeddingBias) = (false, true) }),
    ("attention only, no norm", variant { ($0.mlp, $0.normEpsilon) = (nil, nil) }),
    ("attention only, norm", variant { $0.mlp = nil }),
    ("MLP without norm", variant { $0.normEpsilon = nil }),
    ("wide heads, bidirectional", variant { ($0.headWidth, $0.isCausal, $0.scoreScale) = (4, false, 0.7) }),
    (
      "ReLU, no positions",
      variant { ($0.mlp, $0.hasPositions) = (.init(width: 5, activation: .relu), false) }
    ),
    (
      "exact GELU, no biases",
      variant { ($0.mlp, $0.hasBiases) = (.init(width: 5, activation: .gelu), false) }
    ),
    ("SiLU", variant { $0.mlp?.activation = .silu }),
  ]
}()

@Suite struct GradientTests {
  static let batch = PackedBatch([
    TrainingExample(predictingEveryTokenOf: [1, 4, 2, 6, 4, 1]),
    TrainingExample(
      tokens: [0, 3, 3],
      targets: [.init(row: 1, tokens: [5]), .init(row: 2, tokens: [2, 4, 6], weight: 2.5)]),
    TrainingExample(tokens: [5], targets: []),
  ])

  /// Parameters of a size that puts every nonlinearity to work.
  static func parameters(_ layout: ParameterLayout) -> Tensor {
    var generator = SeededGenerator(seed: 5)
    let start = layout.initialParameters(seed: 3, embeddingDeviation: 1).values
    return Tensor(start.map { $0 + Float(0.3 * generator.normal()) })
  }

  @Test(arguments: trainableVariants.indices)
  func equalsCentralDifferences(variant: Int) {
    let (name, architecture) = trainableVariants[variant]
    let layout = ParameterLayout(architecture)
    let parameters = Self.parameters(layout)
    let oracle = DoublePrecisionTransformer(layout, Self.batch)
    let exact = parameters.values.map(Double.init)
    var pass = TrainingPass(layout)
    var gradient = Tensor(zeros: [layout.count])
    let outcomes = pass.addGradient(of: Self.batch, parameters: parameters, to: &gradient)
    let loss = outcomes.reduce(0) { $0 + Double($1.weight) * $1.loss }
    #expect(abs(loss - oracle.loss(exact)) < 1e-5 * loss)

    let found = gradient.values
    for slice in layout.slices {
      var (worst, size) = (0.0, 0.0)
      for index in slice.offset..<slice.offset + slice.count {
        let step = 1e-5
        var (above, below) = (exact, exact)
        above[index] += step
        below[index] -= step
        let difference = (oracle.loss(above) - oracle.loss(below)) / (2 * step)
        worst = max(worst, abs(difference - Double(found[index])))
        size = max(size, abs(difference))
      }
      #expect(size > 1e-3, "\(name): the gradient of \(slice.name) is too small to tell")
      #expect(worst < 2e-5 * max(1, size), "\(name): \(slice.name) is off by \(worst) of \(size)")
    }
  }

  @Test func logitsEqualTheOracle() {
    for (name, architecture) in trainableVariants {
      let layout = ParameterLayout(architecture)
      let parameters = Self.parameters(layout)
      var pass = TrainingPass(layout)
      let found = pass.logits(Self.batch, parameters: parameters).values
      let expected = DoublePrecisionTransformer(layout, Self.batch).logits(parameters.values.map(Double.init))
      let worst = zip(found, expected.flatMap { $0 }).map { abs(Double($0) - $1) }.max() ?? 1
      #expect(worst < 2e-5, "\(name): off by \(worst)")
    }
  }

  @Test func buffersOfALargerBatchLeaveNoTrace() {
    let layout = ParameterLayout(trainableVariants[0].architecture)
    let parameters = Self.parameters(layout)
    let small = PackedBatch([TrainingExample(predictingEveryTokenOf: [2, 2, 5])])
    var (used, fresh) = (TrainingPass(layout), TrainingPass(layout))
    var (first, second) = (Tensor(zeros: [layout.count]), Tensor(zeros: [layout.count]))
    _ = used.addGradient(of: Self.batch, parameters: parameters, to: &first)
    first.setToZero()
    _ = used.addGradient(of: small, parameters: parameters, to: &first)
    _ = fresh.addGradient(of: small, parameters: parameters, to: &second)
    #expect(first == second)
  }

  @Test func stepsAreTheSameOnAnyNumberOfThreads() {
    let layout = ParameterLayout(trainableVariants[0].architecture)
    let examples = (0..<11).map { TrainingExample(predictingEveryTokenOf: [$0 % 7, 3, $0 % 5, 1, 2]) }
    func trained() -> Tensor {
      var trainer = Trainer(
        layout: layout, optimizer: AdamW(), schedule: .init(peak: 1e-2, warmUp: 2, steps: 5),
        parameters: Self.parameters(layout))
      for _ in 0..<5 { _ = trainer.step(examples) }
      return trainer.parameters
    }
    let usual = trained()
    Threads.use(1)
    defer { Threads.use(0) }
    #expect(trained() == usual)
  }
}
