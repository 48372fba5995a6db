// Every parameter's gradient against central differences of a double-precision transformer.

import Tensors
import Testing

@testable import Transformers

/// Small models that between them have every kind of parameter and every choice.
let trainableVariants: [(name: String, blueprint: TransformerBlueprint)] = {
  let base = TransformerBlueprint(
    vocabulary: 7, context: 6, layers: 2, heads: 2, dModel: 6, mlpWidth: 5)
  func variant(_ change: (inout TransformerBlueprint) -> Void) -> TransformerBlueprint {
    var changed = base
    change(&changed)
    return changed
  }
  func rotary(_ blueprint: inout TransformerBlueprint, dimension: Int) {
    blueprint.configuration.positions = .rotary
    for layer in 0..<2 {
      blueprint.configuration.attention[layer].rotary = RotaryConfiguration(dimension: dimension, base: 10)
    }
  }
  return [
    ("gpt2", variant { $0.configuration.tiesEmbeddings = true }),
    ("untied head", base),
    ("untied head with a bias", variant { $0.hasUnembeddingBias = true }),
    (
      "tied head with a bias",
      variant { ($0.configuration.tiesEmbeddings, $0.hasUnembeddingBias) = (true, true) }
    ),
    (
      "attention only, no norm",
      variant {
        ($0.configuration.mlp, $0.configuration.dMLP, $0.configuration.normalization) = (.none, 0, nil)
      }
    ),
    ("attention only, norm", variant { ($0.configuration.mlp, $0.configuration.dMLP) = (.none, 0) }),
    ("MLP without norm", variant { $0.configuration.normalization = nil }),
    (
      "wide heads, bidirectional",
      variant {
        $0.configuration.dHead = 4
        for layer in 0..<2 {
          $0.configuration.attention[layer].rule = AttentionRule(scale: 0.7, isCausal: false)
        }
      }
    ),
    (
      "ReLU, no positions",
      variant { ($0.configuration.activation, $0.configuration.positions) = (.relu, .none) }
    ),
    ("exact GELU, no biases", variant { ($0.configuration.activation, $0.hasBiases) = (.gelu, false) }),
    ("SiLU", variant { $0.configuration.activation = .silu }),
    (
      "parallel, part of each head turned",
      variant {
        $0.configuration.residual = .parallel
        $0.configuration.dHead = 4
        rotary(&$0, dimension: 2)
      }
    ),
    (
      "Llama: grouped, gated, root mean square",
      variant {
        $0.configuration.heads = 4
        $0.configuration.dHead = 4
        $0.configuration.keyValueHeads = 2
        $0.configuration.mlp = .gated
        $0.configuration.activation = .silu
        $0.configuration.normalization = .rootMeanSquare(epsilon: 1e-6, gainOffset: 0)
        $0.hasBiases = false
        rotary(&$0, dimension: 4)
      }
    ),
    (
      "norms of heads and behind modules, caps, window",
      variant {
        $0.configuration.keyValueHeads = 1
        $0.configuration.dHead = 4
        $0.configuration.mlp = .gated
        $0.configuration.normalization = .rootMeanSquare(epsilon: 1e-6, gainOffset: 1)
        $0.normalizesHeads = true
        $0.hasPostNorms = true
        $0.configuration.logitCap = 4
        $0.configuration.embeddingScale = 1.5
        $0.configuration.attention[0].rule.window = 3
        for layer in 0..<2 { $0.configuration.attention[layer].rule.scoreCap = 2 }
        rotary(&$0, dimension: 4)
      }
    ),
    ("layer norms without parameters", variant { $0.hasNormParameters = false }),
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
  static func parameters(_ blueprint: TransformerBlueprint) throws -> (
    layout: ParameterLayout, values: Tensor
  ) {
    var generator = SeededGenerator(seed: 5)
    let (layout, start) = try blueprint.initialParameters(seed: 3, embeddingDeviation: 1)
    return (layout, Tensor(start.values.map { $0 + Float(0.3 * generator.normal()) }))
  }

  @Test(arguments: trainableVariants.indices)
  func equalsCentralDifferences(variant: Int) throws {
    let (name, blueprint) = trainableVariants[variant]
    let (layout, parameters) = try Self.parameters(blueprint)
    let oracle = DoublePrecisionTransformer(layout, Self.batch)
    let exact = parameters.values.map(Double.init)
    var pass = TrainingPass(layout)
    var gradient = ParameterGradient(layout)
    let outcomes = try pass.addGradient(of: Self.batch, parameters: parameters, to: &gradient)
    let loss = outcomes.reduce(0) { $0 + Double($1.weight) * $1.loss }
    #expect(abs(loss - oracle.loss(exact)) < 1e-5 * loss)

    let found = gradient.values.values
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
      #expect(worst < 3e-5 * max(1, size), "\(name): \(slice.name) is off by \(worst) of \(size)")
    }
  }

  @Test func logitsEqualTheOracle() throws {
    for (name, blueprint) in trainableVariants {
      let (layout, parameters) = try Self.parameters(blueprint)
      let model = layout.transformer(parameters)
      let batch = PackedBatch([
        TrainingExample(predictingEveryTokenOf: [1, 4, 2, 6, 4, 1]),
        TrainingExample(predictingEveryTokenOf: [0, 3, 3]),
      ])
      let run = try model.run(TokenBatch([[1, 4, 2, 6, 4, 1], [0, 3, 3]]), reading: [.logits])
      let found = run[.logits].reshaped([12, 7]).gatherRows([0, 1, 2, 3, 4, 5, 6, 7, 8]).values
      let expected = DoublePrecisionTransformer(layout, batch).logits(parameters.values.map(Double.init))
      let worst = zip(found, expected.flatMap { $0 }).map { abs(Double($0) - $1) }.max() ?? 1
      #expect(worst < 3e-5, "\(name): off by \(worst)")
    }
  }

  @Test func buffersOfALargerBatchLeaveNoTrace() throws {
    let (layout, parameters) = try Self.parameters(trainableVariants[0].blueprint)
    let small = PackedBatch([TrainingExample(predictingEveryTokenOf: [2, 2, 5])])
    var (used, fresh) = (TrainingPass(layout), TrainingPass(layout))
    var (first, second) = (ParameterGradient(layout), ParameterGradient(layout))
    _ = try used.addGradient(of: Self.batch, parameters: parameters, to: &first)
    first.values.setToZero()
    _ = try used.addGradient(of: small, parameters: parameters, to: &first)
    _ = try fresh.addGradient(of: small, parameters: parameters, to: &second)
    #expect(first.values == second.values)
  }

  @Test func stepsAreTheSameOnAnyNumberOfThreads() throws {
    let (layout, parameters) = try Self.parameters(trainableVariants[0].blueprint)
    let examples = (0..<11).map { TrainingExample(predictingEveryTokenOf: [$0 % 7, 3, $0 % 5, 1, 2]) }
    func trained() throws -> Tensor {
      var trainer = Trainer(
        layout: layout, optimizer: AdamW(), schedule: .init(peak: 1e-2, warmUp: 2, steps: 5),
        parameters: parameters)
      for _ in 0..<5 { _ = try trainer.step(examples) }
      return trainer.parameters
    }
    let usual = try trained()
    Threads.use(1)
    defer { Threads.use(0) }
    #expect(try trained() == usual)
  }
}
