// Comparing methods: many ways to rank heads, one measured answer, and what a ranking must beat to be worth anything.
//
//   swift run -c release CompareMethods

import CircuitDiscovery
import Narration
import Reports
import SparseAutoencoders
import Transformers

@main
enum CompareMethods {
  static func main() throws {
    let narration = try Narration("compare-methods")
    let library = TaskLibrary.bundled()
    let folder = (library.folder ?? "Circuits") + "/default-model"
    let model = try Transformer(folder: folder)
    let limits = try PromptLimits(modelFolder: folder)
    let task = try library.task("ioi")

    narration.section("1. The judge")
    narration.say("Task: \(task.summary).")
    narration.say(
      "Every head is replaced in turn, on prompts that no ranking has seen. Heads that change the metric by")
    narration.say(
      "5 % or more are true. Two questions: 'pair' replaces a head by its value in the negative, 'mean' by")
    narration.say("its mean over negatives. They have different answers.")
    let prompts = try task.promptSet(examples: 40, seed: 0, limits: limits)
    let judging = try task.promptSet(examples: 60, seed: 1, limits: limits).leavingOut(prompts)

    narration.section("2. The rankings")
    let wanted = ["atp", "eap-ig-inputs", "patching"]
    let rankings =
      [.codes] + ComparedRanking.nullCodes + ComparedRanking.quick.filter { wanted.contains($0.name) }
      + [.norm]
    let names = rankings.map(\.name).joined(separator: ", ")
    narration.say("\(names).")
    narration.say(
      "Those in brackets use directions that nobody trained for sparse codes: they show what the prompts")
    narration.say("and gradients give away by themselves. The last uses neither codes nor gradients.")
    let comparison = try narration.withScratchFolder { scratch in
      var material = RankingMaterial(model: model, prompts: prompts, scratch: scratch)
      material.dictionary.steps = 300
      return try TaskComparison(
        rankings, material, judging: judging, model: "default-model", settings: "", explain: { "\($0)" })
    }
    narration.say("The model is right after \(comparison.accuracy.percent) of the judging prompts.")

    for question in HeadQuestion.allCases {
      let isTrue = comparison.truths[question] ?? []
      narration.section(
        "\(question == .pair ? 3 : 4). Question '\(question.rawValue)': \(isTrue.count { $0 }) of \(isTrue.count) "
          + "heads are true")
      let rows = comparison.rows.filter { $0.question == question }
      var (areas, correlations): ([BarChart.Bar], [BarChart.Bar]) = ([], [])
      for row in rows {
        guard let verdict = row.verdict else {
          narration.say("\(row.ranking): \(row.problem ?? "not to be judged")")
          continue
        }
        areas.append(.init(row.ranking, verdict.trapezoidAUC, interval: range(verdict.trapezoidAUCInterval)))
        if let correlation = verdict.rankCorrelation {
          correlations.append(
            .init(row.ranking, correlation, interval: range(verdict.rankCorrelationInterval)))
        }
        narration.say(
          "\(row.ranking): AUC \(verdict.trapezoidAUC.short), ρ with sizes "
            + "\(verdict.rankCorrelation?.short ?? "none"), \(row.seconds.short) s")
      }
      let named = "question '\(question.rawValue)'"
      if !areas.isEmpty {
        try narration.draw(
          BarChart(title: "Finding the true heads, \(named)", unit: "area under the ROC curve", bars: areas)
            .svg,
          as: "auc-\(question.rawValue)")
        try narration.draw(
          BarChart(title: "Order of all effects, \(named)", unit: "Spearman's ρ", bars: correlations).svg,
          as: "order-\(question.rawValue)")
      }
    }

    narration.section("5. How to read that")
    narration.say("A trained dictionary is worth its training where it beats the ones that nobody trained.")
    narration.say("Exact patching is the measurement itself on other prompts: no ranking can be much better.")
    narration.say(
      "One task on one small model decides nothing; 'headlamp compare --suite siblings' asks many.")
  }

  /// The two ends of an interval.
  static func range(_ ends: [Double]?) -> ClosedRange<Double>? {
    guard let ends, ends.count == 2, ends[0] <= ends[1] else { return nil }
    return ends[0]...ends[1]
  }
}
