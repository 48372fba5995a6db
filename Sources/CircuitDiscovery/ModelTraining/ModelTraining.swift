// Training a small model on the prompts of tasks.

import Files
import Tensors
import Tokenizers
import Transformers

/// A training under way.
public struct ModelTraining: Sendable {
  /// The settings.
  public let plan: ModelTrainingPlan
  /// The model's tokens.
  let tokens: TrainingTokens
  /// What is learned and examined.
  public let mixture: TaskMixture
  /// The parameters and the optimiser.
  public private(set) var trainer: Trainer
  private let start: TrainingStart
  /// What must be the same when training goes on.
  private let identity: [String: String]
  /// What was noted on the way.
  public private(set) var history: TrainingHistory

  /// Makes the prompts and the parameters of step 0.
  ///
  /// - Parameter start: a model that exists, to go on with; else parameters are drawn from the plan's seed.
  /// - Throws: `TaskError` where a task cannot be turned into prompts of this vocabulary, `TrainingError` for a model
  ///   that cannot be stored, and what loading it throws.
  public init(tasks: [TaskSpec], plan: ModelTrainingPlan, start: TrainingStart = .fresh) throws {
    self.plan = plan
    tokens = try TrainingTokens(start, tasks)
    let limits = try tokens.limits()
    let results = parallelMap(tasks.count) { index in
      Result { try tasks[index].promptSet(examples: plan.corpus.pairs, seed: plan.seed, limits: limits) }
    }
    let sets = try results.map { try $0.get() }
    let corpora = sets.map { TaskCorpus($0, settings: plan.corpus) }
    for (corpus, set) in zip(corpora, sets) where corpus.positives.isEmpty {
      throw TaskError.noPositives(source: corpus.name, prompts: set.prompts.count)
    }
    mixture = TaskMixture(corpora, settings: plan.corpus)
    let (layout, parameters) = try plan.parameters(
      start, vocabulary: limits.vocabularySize ?? 0, longest: sets.map(\.longest).max() ?? 1)
    identity = [
      "plan": plan.description, "tasks": corpora.map(\.name).joined(separator: " "),
      "vocabulary": try tokens.digest(),
    ]
    trainer = Trainer(
      layout: layout, optimizer: plan.optimizer, schedule: plan.schedule, parameters: parameters)
    trainer.codes = plan.codes
    history = TrainingHistory()
    self.start = start
  }

  /// Steps taken so far.
  public var step: Int { trainer.state.step }

  /// Whether all steps are taken.
  public var isFinished: Bool { step >= plan.steps }

  /// Takes one step; examines the model at the plan's interval and after the last step.
  /// - Throws: `TrainingError.diverged` where the loss is no longer finite.
  public mutating func advance() throws {
    if step == 0 && plan.codebooks != nil { try beginCodes() }
    if let price = plan.codes.merging?.price(before: step, of: plan.steps) {
      try trainer.mergeCodes(.mlp, on: codeBatches(from: step), rounds: Self.mergingRounds, price: price)
    }
    let shares = mixture.shares(after: history.examinations.last)
    let outcomes = try trainer.step(
      mixture.batch(step: step, size: plan.batch, seed: plan.seed, shares: shares), seed: plan.seed)
    let weight = outcomes.reduce(0) { $0 + Double($1.weight) }
    let loss = outcomes.reduce(0) { $0 + Double($1.weight) * $1.loss } / weight
    guard loss.isFinite else { throw TrainingError.diverged(step: step) }
    history.note(loss: loss, step: step)
    if let share = trainer.usedShare, plan.codes.replacementInterval > 0,
      step % plan.codes.replacementInterval == 0
    {
      history.note(codeUse: share, step: step)
    }
    if step % plan.evaluationInterval == 0 || isFinished {
      history.examinations.append(
        Examination(step: step, tasks: try accuracies(limit: isFinished ? nil : plan.evaluationPrompts)))
    }
  }

  /// New codes begin as what they will stand for: vectors of the first batch, and with a model that knows its task, the
  /// middles of many.
  private mutating func beginCodes() throws {
    try trainer.placeCodes(on: codeBatches(from: 0)[0], seed: plan.seed)
    guard case .folder = start else { return }
    try trainer.settleCodes(on: codeBatches(from: 0), rounds: Self.settlingRounds, seed: plan.seed)
  }

  /// Batches that codes are placed on.
  private func codeBatches(from step: Int) -> [[TrainingExample]] {
    (step..<step + Self.settlingBatches).map {
      mixture.batch(step: $0, size: plan.batch, seed: plan.seed, shares: mixture.shares(after: nil))
    }
  }

  private static let settlingBatches = 4
  private static let settlingRounds = 10
  private static let mergingRounds = 20

  /// How well the tasks are done on held-out prompts, `limit` of each at most.
  public func accuracies(limit: Int? = nil) throws -> [TaskAccuracy] {
    try mixture.corpora.map { corpus in
      let examples = Array(corpus.heldOut.prefix(limit ?? corpus.heldOut.count))
      return TaskAccuracy(
        task: corpus.name, examples: examples, outcomes: try trainer.evaluate(examples))
    }
  }

  /// Stores everything needed to go on.
  public func writeCheckpoint(to path: String) throws {
    var notes = identity
    notes["history"] = history.json.line
    try trainer.checkpoint(notes: notes).write(to: path, layout: trainer.layout)
  }

  /// Goes on from a stored state, as if training had never stopped.
  /// - Throws: `TrainingError.otherSetting` where the plan, the tasks or the words differ from the stored ones.
  public mutating func resume(from path: String) throws {
    let checkpoint = try TrainingCheckpoint(path: path, layout: trainer.layout)
    for (setting, value) in identity.sorted(by: { $0.key < $1.key }) {
      try checkpoint.require(setting, value, path: path)
    }
    guard let stored = checkpoint.notes["history"], let json = try? JSONValue(parsing: stored) else {
      throw TrainingError.incompleteCheckpoint(path: path, missing: "history")
    }
    history = TrainingHistory(json)
    trainer = Trainer(
      layout: trainer.layout, optimizer: plan.optimizer, schedule: plan.schedule,
      parameters: checkpoint.parameters, state: checkpoint.state)
    trainer.codes = plan.codes
    trainer.codeUses = CodeUses(trainer.layout, checkpoint.codeUses)
  }
}
