// What a training noted on its way: losses and examinations.

import Files

/// Losses and accuracies by step.
public struct TrainingHistory: Sendable, Equatable {
  /// The mean weighted loss of the steps up to `step`, since the entry before.
  public struct Loss: Sendable, Equatable {
    /// Steps taken.
    public var step: Int
    /// Nats a target, weighted.
    public var loss: Double
  }

  /// One entry for every fifty steps.
  public private(set) var losses: [Loss] = []
  /// Every examination.
  public var examinations: [Examination] = []
  /// The share of codes that were chosen since the entry before, by step; empty without codebooks.
  public private(set) var codeUse: [(step: Int, share: Double)] = []
  private var pending: [Double] = []

  static let interval = 50

  /// Nothing noted yet.
  public init() {}

  /// The mean loss of the latest steps.
  public var latestLoss: Double? {
    pending.isEmpty ? losses.last?.loss : pending.reduce(0, +) / Double(pending.count)
  }

  /// Notes the share of codes that were chosen up to `step`.
  mutating func note(codeUse share: Double, step: Int) {
    codeUse.append((step, share))
  }

  /// Whether the same was noted.
  public static func == (a: Self, b: Self) -> Bool { a.json == b.json }

  /// Notes the loss of one step; `step` counts it.
  mutating func note(loss: Double, step: Int) {
    pending.append(loss)
    guard step % Self.interval == 0 else { return }
    losses.append(Loss(step: step, loss: pending.reduce(0, +) / Double(pending.count)))
    pending = []
  }
}

/// How well the tasks were done after some step.
public struct Examination: Sendable, Equatable {
  /// Steps taken.
  public var step: Int
  /// One entry a task.
  public var tasks: [TaskAccuracy]

  /// An examination.
  public init(step: Int, tasks: [TaskAccuracy]) {
    self.step = step
    self.tasks = tasks
  }
}

extension TrainingHistory {
  /// All that is noted, for a checkpoint.
  var json: JSONValue {
    .object([
      JSONMember("losses", lossesJSON), JSONMember("examinations", examinationsJSON),
      JSONMember("code_use", codeUseJSON),
      JSONMember("pending", .array(pending.map { .number($0) })),
    ])
  }

  /// `[[step, share], …]`.
  public var codeUseJSON: JSONValue {
    .array(codeUse.map { .array([.integer($0.step), .number($0.share)]) })
  }

  /// `[[step, loss], …]`.
  public var lossesJSON: JSONValue {
    .array(losses.map { .array([.integer($0.step), .number($0.loss)]) })
  }

  /// `[{"step": …, "ioi": {"accuracy": …, "right_mass": …, "prompts": …}}, …]`.
  public var examinationsJSON: JSONValue {
    .array(
      examinations.map { examination in
        .object(
          [JSONMember("step", .integer(examination.step))]
            + examination.tasks.map { JSONMember($0.task, $0.json) })
      })
  }

  init(_ json: JSONValue) {
    for entry in json["losses"]?.elements ?? [] {
      guard let pair = entry.elements, pair.count == 2, let step = pair[0].wholeNumber,
        let loss = pair[1].anyNumber
      else { continue }
      losses.append(Loss(step: step, loss: loss))
    }
    for entry in json["code_use"]?.elements ?? [] {
      guard let pair = entry.elements, pair.count == 2, let step = pair[0].wholeNumber,
        let share = pair[1].anyNumber
      else { continue }
      codeUse.append((step, share))
    }
    pending = json["pending"]?.elements?.compactMap(\.anyNumber) ?? []
    for entry in json["examinations"]?.elements ?? [] {
      guard let step = entry["step"]?.wholeNumber else { continue }
      let tasks = (entry.members ?? []).filter { $0.key != "step" }
      examinations.append(
        Examination(step: step, tasks: tasks.compactMap { TaskAccuracy(task: $0.key, $0.value) }))
    }
  }
}

extension TaskAccuracy {
  /// The numbers, without the task's name.
  public var json: JSONValue {
    .object([
      JSONMember("accuracy", .number(accuracy)), JSONMember("right_mass", .number(rightMass)),
      JSONMember("prompts", .integer(prompts)),
    ])
  }

  init?(task: String, _ json: JSONValue) {
    guard let accuracy = json["accuracy"]?.anyNumber, let mass = json["right_mass"]?.anyNumber,
      let prompts = json["prompts"]?.wholeNumber
    else { return nil }
    self.task = task
    self.accuracy = accuracy
    rightMass = mass
    self.prompts = prompts
  }
}
