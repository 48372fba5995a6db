// Steps of training: a batch split over threads, one gradient, one update.

import Synchronization
import Tensors

/// Trains the parameters of one architecture.
///
/// A batch is always split into the same number of parts, whatever the number of threads, and their gradients are
/// added in order: the same examples give the same bits on one core and on many.
public struct Trainer: Sendable {
  /// Where parameters lie.
  public let layout: ParameterLayout
  /// How parameters follow gradients.
  public var optimizer: AdamW
  /// How fast, at which step.
  public var schedule: LearningRateSchedule
  /// All parameters.
  public private(set) var parameters: Tensor
  /// The optimiser's memory; its `step` counts the steps taken.
  public private(set) var state: AdamWState
  private let parts: [TrainingPart]
  private var gradient: Tensor

  /// The parts of a batch.
  static let partCount = 4

  /// Training that begins, or goes on from a state that was stored.
  public init(
    layout: ParameterLayout, optimizer: AdamW, schedule: LearningRateSchedule, parameters: Tensor,
    state: AdamWState? = nil
  ) {
    precondition(parameters.count == layout.count, "parameters of shape \(parameters.shape)")
    self.layout = layout
    self.optimizer = optimizer
    self.schedule = schedule
    self.parameters = parameters
    self.state = state ?? AdamWState(count: layout.count)
    parts = (0..<Self.partCount).map { _ in TrainingPart(layout) }
    gradient = Tensor(zeros: [layout.count])
  }

  /// What is needed to go on later.
  public func checkpoint(notes: [String: String] = [:]) -> TrainingCheckpoint {
    TrainingCheckpoint(parameters: parameters, state: state, notes: notes)
  }

  /// Learns from a batch once.
  /// - Returns: the outcome of each target, in order, before the update.
  public mutating func step(_ examples: [TrainingExample]) -> [PredictionOutcome] {
    learn(examples)
    gradient.setToZero()
    var outcomes: [PredictionOutcome] = []
    for part in parts { outcomes += part.collect(into: &gradient) }
    update()
    return outcomes
  }

  private func learn(_ examples: [TrainingExample]) {
    let total = examples.reduce(0) { $0 + $1.targets.reduce(0) { $0 + Double($1.weight) } }
    let scale = total > 0 ? Float(1 / total) : 0
    let (parts, parameters) = (parts, parameters)
    parallelFor(parts.count) { index in
      let share = examples[Self.range(index, of: examples.count)]
      parts[index].learn(PackedBatch(share, weightScale: scale), parameters: parameters)
    }
  }

  private mutating func update() {
    optimizer.update(
      &parameters, gradient: gradient, state: &state, learningRate: schedule.rate(at: state.step),
      decaying: layout.decaying, notDecaying: layout.notDecaying)
  }

  /// The outcome of each target under the present parameters; nothing is learned.
  public func evaluate(_ examples: [TrainingExample]) -> [PredictionOutcome] {
    let (parts, parameters) = (parts, parameters)
    return parallelMap(parts.count) { index in
      parts[index].evaluate(
        PackedBatch(examples[Self.range(index, of: examples.count)]), parameters: parameters)
    }.flatMap { $0 }
  }

  private static func range(_ part: Int, of count: Int) -> Range<Int> {
    count * part / partCount..<count * (part + 1) / partCount
  }
}

/// A share of every batch, with memory of its own.
private final class TrainingPart: Sendable {
  private struct State {
    var pass: TrainingPass
    var gradient: Tensor
    var outcomes: [PredictionOutcome] = []
  }

  private let state: Mutex<State>

  init(_ layout: ParameterLayout) {
    state = Mutex(State(pass: TrainingPass(layout), gradient: Tensor(zeros: [layout.count])))
  }

  func learn(_ batch: PackedBatch, parameters: Tensor) {
    state.withLock { state in
      state.gradient.setToZero()
      state.outcomes =
        batch.rows == 0
        ? [] : state.pass.addGradient(of: batch, parameters: parameters, to: &state.gradient)
    }
  }

  func collect(into gradient: inout Tensor) -> [PredictionOutcome] {
    state.withLock { state in
      gradient.add(state.gradient, count: gradient.count)
      return state.outcomes
    }
  }

  func evaluate(_ batch: PackedBatch, parameters: Tensor) -> [PredictionOutcome] {
    state.withLock { batch.rows == 0 ? [] : $0.pass.evaluate(batch, parameters: parameters) }
  }
}
