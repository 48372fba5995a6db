// One model on one task: every ranking beside what replacing heads was measured to do.

import CausalMethods
import Files
import Tensors
import Transformers

/// One ranking asked one question.
public struct ComparedRow: Codable, Hashable, Sendable {
  /// The ranking's name.
  public var ranking: String
  /// The question it was asked, and is judged by.
  public var question: HeadQuestion
  /// How well it agrees with the measured effects; nil where it did not run, and where no head, or every head, has a
  /// large effect.
  public var verdict: RankingVerdict?
  /// The area under f over the share of best heads kept, the others replaced; larger is better. nil where it was not to
  /// be had.
  public var headCPR: Double?
  /// The area under |1 − f|; smaller is better.
  public var headCMD: Double?
  /// How long it took, in seconds.
  public var seconds: Double
  /// The most memory that was resident meanwhile, in MiB, the model's included; nil where the system does not tell.
  public var peakMemory: Double?
  /// Why it did not run.
  public var problem: String?
  /// Its scores, by layer and head.
  public var scores: [Double]
}

/// Rankings of one model's heads on one task.
public struct TaskComparison: Codable, Hashable, Sendable {
  /// Everything that decides the result but the rankings, as text.
  public var settings: String
  /// The model.
  public var model: String
  /// The task.
  public var task: String
  /// Positive prompts ranked on.
  public var prompts: Int
  /// Positive prompts that effects were measured on, drawn with another seed.
  public var judgingPrompts: Int
  /// How many of these were ranked on too: none, unless the task has too few prompts.
  public var sharedPrompts: Int
  /// The share of these whose most likely next token is right.
  public var accuracy: Double
  /// The number of layers.
  public var layers: Int
  /// The number of heads in a layer.
  public var headsPerLayer: Int
  /// The measured effects by question `[head]`.
  public var effects: [HeadQuestion: [Double]]
  /// The heads that count as true by question `[head]`.
  public var truths: [HeadQuestion: [Bool]]
  /// The rankings.
  public var rows: [ComparedRow]

  /// Below this accuracy a model is said not to do the task, and its rankings are not judged.
  public static let leastAccuracy = 0.5

  /// Measures every head's effect, then ranks by every way.
  ///
  /// - Parameters:
  ///   - judging: prompts that effects are measured on.
  ///   - settings: everything that decides the result but the rankings, as text.
  ///   - explain: a sentence about why a ranking could not be made.
  ///   - progress: called with what is done next.
  /// - Throws: what measuring throws; a ranking that cannot be made says why in its row.
  public init(
    _ rankings: [ComparedRanking], _ material: RankingMaterial, judging: PromptSet, model name: String,
    settings: String, explain: (any Error) -> String, progress: (String) -> Void = { _ in }
  ) throws {
    self.settings = settings
    model = name
    task = material.prompts.task
    prompts = material.prompts.prompts.count { $0.isPositive }
    judgingPrompts = judging.prompts.count { $0.isPositive }
    let ranked = Set(material.prompts.prompts.map(\.tokens))
    sharedPrompts = judging.prompts.count { $0.isPositive && ranked.contains($0.tokens) }
    layers = material.model.configuration.layers
    headsPerLayer = material.model.configuration.heads
    var judges: [HeadJudge] = []
    accuracy = 0
    for question in HeadQuestion.allCases {
      progress("replacing heads: \(question.rawValue)")
      let ablation = try HeadAblation(of: judging, model: material.model, replacement: question.replacement)
      accuracy = ablation.accuracy
      judges.append(HeadJudge(question, ablation))
    }
    effects = Dictionary(uniqueKeysWithValues: judges.map { ($0.question, $0.effects) })
    truths = Dictionary(uniqueKeysWithValues: judges.map { ($0.question, $0.isTrue) })
    rows = []
    guard accuracy >= Self.leastAccuracy else { return }
    let clock = ContinuousClock()
    var studies: [HeadQuestion: HeadFaithfulness] = [:]
    for judge in judges {
      let task = try judging.causalTask(needsPairs: judge.question == .pair)
      studies[judge.question] = HeadFaithfulness(
        material.model, task.selecting(Array(task.clean.indices.prefix(100))), judge.question)
    }
    for ranking in rankings {
      for judge in judges where ranking.questions.contains(judge.question) {
        progress("\(ranking.name), \(judge.question.rawValue)")
        let start = clock.now
        var row = ComparedRow(
          ranking: ranking.name, question: judge.question, verdict: nil, seconds: 0, problem: nil, scores: [])
        returnFreedMemory()
        startCountingPeakMemory()
        do {
          row.scores = try ranking.scores(material, judge.question)
          row.verdict = judge.verdict(on: row.scores)
        } catch {
          row.problem = explain(error)
        }
        row.seconds = (clock.now - start) / .seconds(1)
        row.peakMemory = peakResidentMemory().map { Double($0) / 1_048_576 }
        if row.problem == nil, let curve = try studies[judge.question]?.curve(row.scores) {
          (row.headCPR, row.headCMD) = (curve.cpr, curve.cmd)
        }
        rows.append(row)
      }
    }
  }
}
