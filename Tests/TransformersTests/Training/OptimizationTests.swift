// The schedule, the loss, and training that stops and goes on.

import Checkpoints
import Foundation
import Tensors
import TestSupport
import Testing

@testable import Transformers

@Suite struct OptimizationTests {
  @Test func theRateRisesInALineAndFallsAlongACosine() {
    let schedule = LearningRateSchedule(peak: 2, warmUp: 4, steps: 24, finalShare: 0.1)
    #expect((0..<4).map(schedule.rate) == [0.5, 1, 1.5, 2])
    #expect(schedule.rate(at: 4) == 2)
    #expect(abs(schedule.rate(at: 14) - 2 * (0.1 + 0.9 / 2)) < 1e-12)
    #expect(abs(schedule.rate(at: 24) - 0.2) < 1e-12)
    #expect(schedule.rate(at: 1000) == schedule.rate(at: 24))
  }

  @Test func crossEntropyOfEqualLogitsIsTheLogarithmOfTheirNumber() {
    var logits = Tensor(zeros: [3, 5])
    let outcomes = crossEntropyBackward(
      &logits, rows: 3, width: 5,
      targets: [.init(row: 0, tokens: [2]), .init(row: 2, tokens: [1, 4], weight: 0.5)])
    #expect(outcomes.map(\.best) == [0, 0])
    #expect(outcomes.allSatisfy { abs($0.loss - log(5.0)) < 1e-6 })
    #expect(abs(outcomes[1].rightMass - 0.4) < 1e-6)
    let expected: [Float] = [0.2, 0.2, -0.8, 0.2, 0.2, 0, 0, 0, 0, 0, 0.1, -0.15, 0.1, 0.1, -0.15]
    #expect(zip(logits.values, expected).allSatisfy { ($0 - $1).magnitude < 1e-6 })
  }

  @Test func clippingBoundsTheGradientAndDecaySparesVectors() {
    var parameters = Tensor([1, 1, 1, 1] as [Float])
    var state = AdamWState(count: 4)
    let norm = AdamW(weightDecay: 0.5, largestNorm: 1).update(
      &parameters, gradient: Tensor([0, 0, 0, 0] as [Float]), state: &state, learningRate: 0.1,
      decaying: [VectorWindow(count: 2)], notDecaying: [VectorWindow(offset: 2, count: 2)])
    #expect(norm == 0)
    #expect(parameters.values == [0.95, 0.95, 1, 1])
  }

  static let blueprint = trainableVariants[0].blueprint
  static let layout = ParameterLayout(blueprint.transformer())

  static func start() throws -> Tensor { try blueprint.initialParameters(seed: 4).values }

  /// Twenty examples that depend on the step alone.
  static func examples(step: Int) -> [TrainingExample] {
    var generator = SeededGenerator(seed: 9, stream: "batch \(step)")
    return (0..<20).map { _ in
      TrainingExample(predictingEveryTokenOf: (0..<6).map { _ in generator.index(below: 7) })
    }
  }

  static func trainer(from checkpoint: TrainingCheckpoint? = nil) throws -> Trainer {
    Trainer(
      layout: layout, optimizer: AdamW(), schedule: .init(peak: 1e-2, warmUp: 3, steps: 20),
      parameters: try checkpoint?.parameters ?? start(), state: checkpoint?.state)
  }

  @Test func tenStepsAndTenMoreAreTwenty() throws {
    var whole = try Self.trainer()
    for step in 0..<20 { _ = try whole.step(Self.examples(step: step)) }
    var first = try Self.trainer()
    for step in 0..<10 { _ = try first.step(Self.examples(step: step)) }
    let resumed = try withTemporaryFolder { folder in
      let path = folder + "/checkpoint.safetensors"
      try first.checkpoint(notes: ["seed": "4"]).write(to: path, layout: Self.layout)
      let stored = try TrainingCheckpoint(path: path, layout: Self.layout)
      #expect(stored.notes == ["seed": "4"])
      #expect(throws: TrainingError.otherSetting(path: path, setting: "seed", found: "4", expected: "5")) {
        try stored.require("seed", "5", path: path)
      }
      return stored
    }
    var second = try Self.trainer(from: resumed)
    for step in second.state.step..<20 { _ = try second.step(Self.examples(step: step)) }
    #expect(second.parameters == whole.parameters)
    #expect(second.state == whole.state)
  }

  @Test func aCheckpointOfAnotherArchitectureIsRefused() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/checkpoint.safetensors"
      try Self.trainer().checkpoint().write(to: path, layout: Self.layout)
      var other = trainableVariants[0].blueprint
      other.configuration.vocabulary = 8
      #expect(throws: CheckpointError.self) {
        try TrainingCheckpoint(path: path, layout: ParameterLayout(other.transformer()))
      }
    }
  }

  @Test func learnsToRepeatATokenFarBelowChance() throws {
    // Each sequence says one token again and again: after the first, nothing is left to chance.
    var trainer = Trainer(
      layout: Self.layout, optimizer: AdamW(), schedule: .init(peak: 3e-2, warmUp: 10, steps: 200),
      parameters: try Self.start())
    var loss = 0.0
    for step in 0..<200 {
      var generator = SeededGenerator(seed: 1, stream: "repeat \(step)")
      let examples = (0..<32).map { _ in
        TrainingExample(predictingEveryTokenOf: Array(repeating: generator.index(below: 7), count: 5))
      }
      let outcomes = try trainer.step(examples)
      loss = outcomes.reduce(0) { $0 + $1.loss } / Double(outcomes.count)
    }
    #expect(loss < 0.25 * log(7.0))
  }
}
