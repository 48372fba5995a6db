// Each part's adjoint by itself: the gradient of Σ w·f(x) against central differences of f.

import Files
import Tensors
import Testing

@testable import Transformers

/// The largest difference of a gradient from central differences, relative to its largest entry.
private func adjointError(
  at x: Tensor, weights: Tensor, step: Float = 1e-2, gradient: Tensor, _ f: (Tensor) throws -> Tensor
) rethrows -> Double {
  func value(_ x: Tensor) throws -> Double {
    zip(try f(x).values, weights.values).reduce(0) { $0 + Double($1.0) * Double($1.1) }
  }
  let found = gradient.values
  var (worst, size) = (0.0, 1e-3)
  for index in 0..<x.count {
    var (above, below) = (x.values, x.values)
    above[index] += step
    below[index] -= step
    let difference =
      (try value(Tensor(above, shape: x.shape)) - value(Tensor(below, shape: x.shape))) / Double(2 * step)
    worst = max(worst, abs(difference - Double(found[index])))
    size = max(size, abs(difference))
  }
  return worst / size
}

private func random(_ shape: [Int], seed: UInt64, around center: Double = 0) -> Tensor {
  var generator = SeededGenerator(seed: seed)
  return Tensor((0..<shape.reduce(1, *)).map { _ in Float(center + generator.normal()) }, shape: shape)
}

@Suite struct LayerAdjointTests {
  @Test(arguments: [
    RowNormalization.layer(epsilon: 1e-5), .rootMeanSquare(epsilon: 1e-5, gainOffset: 0),
    .rootMeanSquare(epsilon: 1e-5, gainOffset: 1),
  ])
  func norms(kind: RowNormalization) {
    let (x, weights) = (random([3, 7], seed: 1), random([3, 7], seed: 2))
    for gain in [random([7], seed: 3, around: 1), nil] {
      let norm = NormWeights(gain: gain)
      var dx = Tensor(zeros: x.shape)
      norm.adjoint(x, kind, dy: weights, addingTo: &dx)
      let error = adjointError(at: x, weights: weights, gradient: dx) { x in
        var out = Tensor(uninitialized: x.shape)
        norm.apply(to: x, kind, into: &out)
        return out
      }
      #expect(error < 2e-3)
    }
  }

  @Test func normsOfSeveralReadersOfARow() {
    let (x, dy) = (random([2, 5], seed: 1), random([2, 3, 5], seed: 2))
    let norm = NormWeights(gain: random([5], seed: 3))
    var apart = Tensor(zeros: [2, 3, 5])
    norm.adjoint(x, .layer(epsilon: 1e-5), dy: dy, addingTo: &apart)
    var together = Tensor(zeros: [2, 5])
    norm.adjoint(x, .layer(epsilon: 1e-5), dy: sumOverHeads(dy), addingTo: &together)
    #expect(largestDifference(sumOverHeads(apart), together) < 1e-5)
  }

  @Test func maps() throws {
    let (x, weights) = (random([3, 4], seed: 1), random([3, 6], seed: 2))
    for (shape, orientation) in [([4, 6], Linear.Orientation.inputOutput), ([6, 4], .outputInput)] {
      let map = Linear(Weight(random(shape, seed: 3)), orientation, bias: random([6], seed: 4))
      var dx = Tensor(zeros: x.shape)
      try map.adjoint(weights, into: &dx)
      #expect(try adjointError(at: x, weights: weights, gradient: dx) { try map($0) } < 2e-3)
    }
  }

  @Test(arguments: Activation.allCases)
  func activationsAndGates(activation: Activation) throws {
    // Kept away from the kink of ReLU, where differences say nothing.
    let x = Tensor(random([2, 3], seed: 5).values.map { $0 + ($0 > 0 ? 0.1 : -0.1) }, shape: [2, 3])
    for isGated in [false, true] {
      func map(_ inputs: Int, _ outputs: Int, _ seed: UInt64) -> Linear {
        Linear(Weight(random([inputs, outputs], seed: seed)), .inputOutput)
      }
      let mlp = MLPWeights(gate: isGated ? map(3, 8, 6) : nil, input: map(3, 8, 7), output: map(8, 3, 8))
      let weights = random([2, 8], seed: 9)
      var (pre, up, dUp, dx) = (
        Tensor(zeros: [2, 8]), Tensor(zeros: [2, 8]), Tensor(zeros: [0]), Tensor(zeros: [2, 3])
      )
      try mlp.preactivation(x, into: &pre)
      try mlp.input.apply(to: x, into: &up)
      var gradient = weights
      mlp.activateAdjoint(&gradient, pre: pre, up: up, into: &dUp, activation, rule: .exact)
      try mlp.preactivationAdjoint(gradient, dUp: dUp, into: &dx)
      let error = try adjointError(at: x, weights: weights, step: 2e-3, gradient: dx) { x in
        var hidden = Tensor(zeros: [2, 8])
        try mlp.preactivation(x, into: &hidden)
        try mlp.activate(&hidden, of: x, activation)
        return hidden
      }
      #expect(error < 1e-2, "gated: \(isGated)")
    }
  }

  /// Heads normalised each or together, with a gain for all heads or a part for each, turned either way, cut or not.
  @Test(arguments: [
    (TransformerConfiguration.HeadNormSpan.each, 1, RotaryPairing.halves, Float?.none),
    (.each, 4, .neighbours, nil), (.all, 4, .halves, nil), (.each, 1, .neighbours, 0.7),
  ])
  func headPlacement(
    span: TransformerConfiguration.HeadNormSpan, parts: Int, pairing: RotaryPairing, limit: Float?
  ) {
    let columns = AttentionColumns(heads: 4, groups: 2, width: 6)
    let table = RotaryTable(
      frequencies: RotaryConfiguration(dimension: 4, base: 10).frequencies(), length: 8, pairing: pairing)
    let placement = HeadPlacement(
      headWidth: 6, normalization: .rootMeanSquare(epsilon: 1e-6, gainOffset: 0),
      queryGain: random([6 * parts], seed: 1), keyGain: random([6 * max(1, parts / 2)], seed: 2), span: span,
      rotary: (table, [0, 3, 5]), limit: limit)
    var x = random([3, 48], seed: 3)
    let weights = random([3, 48], seed: 4)
    if let limit {
      // Differences must not straddle the edge at which values are cut.
      x = Tensor(x.values.map { abs(abs($0) - limit) < 0.05 ? $0 / 2 : $0 }, shape: x.shape)
    }
    var gradient = weights
    var none: ParameterGradient?
    placement.adjoint(
      &gradient, columns, projected: x, columns, rule: .exact, parameters: &none, layer: 0)
    let error = adjointError(at: x, weights: weights, gradient: gradient) { x in
      var placed = x
      placement.apply(to: &placed, columns)
      return placed
    }
    #expect(error < 2e-3)
  }

  /// One expert's hidden layer, and the weights of experts.
  @Test(arguments: [ExpertRouting.Gate.plain(.silu), .clamped(slope: 1.7, limit: 1.2)])
  func experts(gate: ExpertRouting.Gate) throws {
    let joint = Linear(Weight(random([5, 8], seed: 4)), .inputOutput, bias: random([8], seed: 5))
    let (one, two) = (random([4, 5], seed: 6), random([4, 5], seed: 7))
    for input in [
      ExpertWeights.Input.interleaved(joint),
      .separate(gate: Linear(Weight(one), .outputInput), up: Linear(Weight(two), .outputInput)),
    ] {
      let expert = ExpertWeights(input: input, output: Linear(Weight(random([4, 5], seed: 8)), .inputOutput))
      let (x, weights) = (random([3, 5], seed: 9), random([3, 4], seed: 10))
      let dx = try expert.hiddenAdjoint(weights, expert.hidden(x, gate), gate, slopeRule: .exact)
      let error = try adjointError(at: x, weights: weights, step: 1e-3, gradient: dx) { x in
        try expert.hidden(x, gate).hidden
      }
      #expect(error < 2e-2)
    }
  }

  @Test(arguments: [true, false]) func routing(normalizesWeights: Bool) {
    let routing = ExpertRouting(
      experts: 5, chosen: 2, normalizesWeights: normalizesWeights, width: 1, gate: .plain(.silu))
    let (x, weights) = (random([4, 5], seed: 11), random([4, 5], seed: 12))
    let dx = routing.weightsAdjoint(weights, logits: x)
    let error = adjointError(at: x, weights: weights, step: 1e-3, gradient: dx) { routing.weights(of: $0) }
    #expect(error < 1e-2)
    let shares = routing.weights(of: x)
    for row in 0..<4 {
      let used = shares.row(row).values.filter { $0 != 0 }
      #expect(used.count == 2)
      #expect(normalizesWeights == (abs(used.reduce(0, +) - 1) < 1e-6))
    }
  }

  @Test(arguments: [
    AttentionRule(scale: 0.5), AttentionRule(scale: 0.5, window: 2), AttentionRule(scale: 1, scoreCap: 1.5),
    AttentionRule(scale: 1, isCausal: false), .leaning, .withSinks,
  ])
  func attention(rule: AttentionRule) {
    let layout = SequenceLayout(lengths: [4, 3])
    let columns = AttentionColumns(heads: 4, groups: 2, width: 3)
    let (x, weights) = (random([7, 24], seed: 1), random([7, 12], seed: 2))
    let squares = AttentionSquares(layout, heads: 4)
    var scores = Tensor(zeros: [0])
    attentionScores(columns.input(x), rule, layout, into: &scores)
    var pattern = scores
    attentionPattern(&pattern, rule, squares)
    var (slopes, gradient) = (Tensor(zeros: [0]), Tensor(zeros: x.shape))
    attentionMixAdjoint(
      pattern: pattern, columns.input(x), layout, dz: weights, into: &slopes, values: &gradient,
      columns.gradient)
    attentionPatternAdjoint(pattern: pattern, &slopes, squares)
    attentionScoresAdjoint(
      columns.input(x), rule, layout, scores: scores, &slopes, queriesAndKeys: &gradient, columns.gradient)
    let error = adjointError(at: x, weights: weights, gradient: gradient) {
      attentionMix(columns.input($0), rule, layout)
    }
    #expect(error < 3e-3)
  }

  @Test func softCaps() {
    let (x, weights) = (random([9], seed: 1), random([9], seed: 2))
    func capped(_ x: Tensor) -> Tensor {
      var y = x
      y.softCap(1.5)
      return y
    }
    var gradient = weights
    gradient.multiplyByCapSlope(1.5, at: capped(x))
    #expect(adjointError(at: x, weights: weights, gradient: gradient, capped) < 2e-3)
  }

  @Test func projectionsOfSingleHeads() throws {
    // Rows that all heads share give what the joint projection gives, and their gradients sum to its adjoint.
    let blueprint = TransformerBlueprint(
      vocabulary: 5, context: 4, layers: 1, heads: 2, dModel: 6, mlpWidth: 0)
    let (layout, values) = try blueprint.initialParameters(seed: 2)
    let model = layout.transformer(values)
    let attention = model.weights.blocks[0].attention
    let x = random([3, 6], seed: 4)
    let columns = attention.columns(model.configuration)
    var (joint, apart) = (Tensor(zeros: [3, 18]), Tensor(zeros: [3, 18]))
    try attention.project(x, into: &joint)
    let dy = random([3, 18], seed: 5)
    var (dx, sum, part) = (Tensor(zeros: [3, 6]), Tensor(zeros: [3, 6]), Tensor(zeros: [0]))
    try attention.projectAdjoint(dy, into: &dx)
    for role in AttentionRole.allCases {
      try attention.projectHeads(role, repeatRows(x, 2), into: &apart, columns[role], model.configuration)
      try attention.projectHeadsAdjoint(role, dy, columns[role], into: &part, model.configuration)
      sum.add(sumOverHeads(part))
    }
    #expect(largestDifference(joint, apart) < 1e-5)
    #expect(largestDifference(dx, sum) < 1e-5)
  }

  @Test func thePlainAndTheFastWayThroughABlockAgree() throws {
    // Reading the hidden layer takes the plain way; nobody looking, the MLP goes in parts and in place.
    var test = TestModel()
    test.options["d_mlp"] = .integer(200)
    let model = try test.load()
    let batch = TokenBatch(randomPrompts(lengths: [9, 4, 7], vocabulary: 30, seed: 1))
    let fast = try model.run(batch, reading: [.logits])[.logits]
    let plain = try model.run(
      batch,
      reading: Set(
        HookPoint.all(layers: 3).filter {
          ![.queriesInput, .keysInput, .routerLogits, .expertWeights].contains($0.place)
            && $0.place?.codebookPlace == nil
        }))
    #expect(largestDifference(fast, plain[.logits]) < 1e-4)
    let split = try model.run(batch, reading: [.logits, .block(layer: 1, .keysInput)])[.logits]
    #expect(largestDifference(fast, split) < 1e-4)
  }
}

extension HookPoint {
  fileprivate var place: BlockPoint? {
    if case .block(_, let place) = self { place } else { nil }
  }
}

extension AttentionRule {
  fileprivate static var leaning: AttentionRule {
    var rule = AttentionRule(scale: 0.5)
    rule.keyBias = KeyPositionBias(heads: 4)
    return rule
  }

  fileprivate static var withSinks: AttentionRule {
    var rule = AttentionRule(scale: 0.5)
    rule.sinks = [0.3, -1, 2, 0]
    return rule
  }
}
