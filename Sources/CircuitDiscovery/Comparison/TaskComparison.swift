// One model on one task: every ranking beside what replacing heads was measured to do.

import CausalMethods
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
  /// How long it took, in seconds.
  public var seconds: Double
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
    for ranking in rankings {
      for judge in judges where ranking.questions.contains(judge.question) {
        progress("\(ranking.name), \(judge.question.rawValue)")
        let start = clock.now
        var row = ComparedRow(
          ranking: ranking.name, question: judge.question, verdict: nil, seconds: 0, problem: nil, scores: [])
        do {
          row.scores = try ranking.scores(material, judge.question)
          row.verdict = judge.verdict(on: row.scores)
        } catch {
          row.problem = explain(error)
        }
        row.seconds = (clock.now - start) / .seconds(1)
        rows.append(row)
      }
    }
  }
}
