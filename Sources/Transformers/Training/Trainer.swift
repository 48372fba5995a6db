// Steps of training: a batch split over threads, one gradient, one update.

import Checkpoints
import Synchronization
import Tensors

/// Trains the parameters of one architecture.
///
/// A batch is always split into the same number of parts, whatever the number of threads, and their gradients are
/// added in order: the same examples give the same bits on one core and on many.
public struct Trainer: Sendable {
  /// Where parameters lie.
  public let layout: ParameterLayout
  /// The same, in a model with as many active codes as the next step asks for.
  private(set) var present: ParameterLayout
  /// How parameters follow gradients.
  public var optimizer: AdamW
  /// How fast, at which step.
  public var schedule: LearningRateSchedule
  /// All parameters.
  public internal(set) var parameters: Tensor
  /// The optimiser's memory; its `step` counts the steps taken.
  public internal(set) var state: AdamWState
  /// How codes of codebooks are trained.
  public var codes = CodeTraining() {
    didSet { setActiveCodes() }
  }
  /// What was chosen since codes were last replaced.
  public var codeUses: CodeUses
  /// The share of codes that were chosen between the last two times that codes were replaced; nil before.
  public private(set) var usedShare: Double?
  let parts: [TrainingPart]
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
    present = layout
    self.optimizer = optimizer
    self.schedule = schedule
    self.parameters = parameters
    self.state = state ?? AdamWState(count: layout.count)
    codeUses = CodeUses(layout)
    parts = (0..<Self.partCount).map { _ in TrainingPart(layout) }
    gradient = Tensor(zeros: [layout.count])
  }

  /// What is needed to go on later.
  public func checkpoint(notes: [String: String] = [:]) -> TrainingCheckpoint {
    var checkpoint = TrainingCheckpoint(parameters: parameters, state: state, notes: notes)
    checkpoint.codeUses = codeUses.stored
    return checkpoint
  }

  /// The model under the present parameters, which it shares.
  public var model: Transformer { layout.transformer(parameters) }

  /// Learns from a batch once.
  ///
  /// - Parameter seed: decides which inputs stand in for codes that nothing chooses.
  /// - Returns: the outcome of each target, in order, before the update.
  /// - Throws: `CheckpointError` where a weight cannot be read.
  public mutating func step(_ examples: [TrainingExample], seed: UInt64 = 0) throws -> [PredictionOutcome] {
    try learn(examples)
    gradient.setToZero()
    var outcomes: [PredictionOutcome] = []
    for part in parts { outcomes += part.collect(into: &gradient) }
    if codes.following > 0 { leaveCodes(&gradient) }
    update()
    if codes.following > 0 { moveCodes(by: codes.following) }
    careForCodes(seed: seed)
    setActiveCodes()
    return outcomes
  }

  /// Gives the model as many active codes as the next step asks for.
  private mutating func setActiveCodes() {
    guard let last = layout.model.configuration.codebooks?.active else { return }
    present = layout.withActiveCodes(codes.activeDecline?.active(at: state.step, last: last) ?? last)
  }

  /// Counts what the last batch chose, and replaces codes where it is time.
  private mutating func careForCodes(seed: UInt64) {
    guard !codeUses.tables.isEmpty else { return }
    for part in parts { part.count(into: &codeUses) }
    guard codes.replacementInterval > 0, state.step % codes.replacementInterval == 0 else { return }
    usedShare = codeUses.usedShare
    if state.step <= codes.lastReplacement {
      replaceUnusedCodes(codeUses, seed: seed, stream: "codes at step \(state.step)")
    }
    codeUses = CodeUses(layout)
  }

  /// Runs a batch up and back; every part keeps what it saw.
  func learn(_ examples: [TrainingExample]) throws {
    let total = examples.reduce(0) { $0 + $1.targets.reduce(0) { $0 + Double($1.weight) } }
    let scale = total > 0 ? Float(1 / total) : 0
    let rows = examples.reduce(0) { $0 + $1.tokens.count }
    let reconstruction = CodeReconstruction(
      pull: rows > 0 ? 2 / Float(rows) : 0, commitment: Float(codes.commitment))
    let (parts, parameters, present) = (parts, parameters, present)
    let results = parallelMap(parts.count) { index in
      let share = examples[Self.range(index, of: examples.count)]
      return Result {
        try parts[index].learn(
          PackedBatch(share, weightScale: scale), present, parameters: parameters, reconstruction)
      }
    }
    for result in results { try result.get() }
  }

  private mutating func update() {
    optimizer.update(
      &parameters, gradient: gradient, state: &state, learningRate: schedule.rate(at: state.step),
      decaying: layout.decaying, notDecaying: layout.notDecaying)
  }

  /// The outcome of each target under the present parameters; nothing is learned.
  /// - Throws: `CheckpointError` where a weight cannot be read.
  public func evaluate(_ examples: [TrainingExample]) throws -> [PredictionOutcome] {
    // Parts as small as a batch's, so that an examination of many prompts takes no more memory than learning does.
    let size = Self.examinedTogether
    let count = (examples.count + size - 1) / size
    let model = model
    let results = parallelMap(count) { index in
      let batch = PackedBatch(examples[index * size..<min(examples.count, (index + 1) * size)])
      return Result { try TrainingPass.evaluate(batch, model) }
    }
    return try results.flatMap { try $0.get() }
  }

  private static let examinedTogether = 32

  private static func range(_ part: Int, of count: Int) -> Range<Int> {
    count * part / partCount..<count * (part + 1) / partCount
  }
}

/// A share of every batch, with memory of its own.
final class TrainingPart: Sendable {
  private struct State {
    var pass: TrainingPass
    var gradient: ParameterGradient
    var outcomes: [PredictionOutcome] = []
  }

  private let state: Mutex<State>

  init(_ layout: ParameterLayout) {
    state = Mutex(State(pass: TrainingPass(layout), gradient: ParameterGradient(layout)))
  }

  func learn(
    _ batch: PackedBatch, _ layout: ParameterLayout, parameters: Tensor,
    _ reconstruction: CodeReconstruction
  ) throws {
    try state.withLock { state in
      state.pass.layout = layout
      state.gradient.reconstruction = reconstruction
      state.gradient.values.setToZero()
      state.outcomes =
        batch.targets.isEmpty
        ? [] : try state.pass.addGradient(of: batch, parameters: parameters, to: &state.gradient)
    }
  }

  func count(into uses: inout CodeUses) {
    uses.add(state.withLock { $0.pass.codeUses() })
  }

  /// What a table's codes stood for in the last batch, what their sums were, and which were chosen.
  func codeBatch(_ table: ParameterSlice) -> CodeBatch {
    state.withLock { $0.pass.codeBatch(table) }
  }

  func collect(into gradient: inout Tensor) -> [PredictionOutcome] {
    state.withLock { state in
      gradient.add(state.gradient.values, count: gradient.count)
      return state.outcomes
    }
  }
}
