// Your own task: from a question about a model to prompts, to a check that the model does it, to the heads behind it.
//
//   swift run -c release YourOwnTask

import CircuitDiscovery
import Narration
import Reports
import Transformers

@main
enum YourOwnTask {
  static func main() throws {
    let narration = try Narration("your-own-task")
    let folder = (TaskLibrary.bundled().folder ?? "Circuits") + "/default-model"
    let model = try Transformer(folder: folder)
    let limits = try PromptLimits(modelFolder: folder)

    narration.section("1. A task is a spec")
    narration.say("Question: how does the model go on with a list that begins a second time?")
    narration.say(
      "A spec says so in JSON: word lists, slots to fill, the answer, and how a negative differs.")
    let unfamiliar = try TaskSpec(
      parsing: spec(words: [
        "drink", "book", "ring", "ball", "key", "map", "coat", "cup", "lamp", "phone", "ticket", "basket",
        "camera", "hat",
      ]), path: "echo")
    let first = try unfamiliar.promptSet(examples: 60, seed: 0, limits: limits)
    show(first, narration)

    narration.section("2. Does the model do it at all?")
    let scores = try model.answerScores(first)
    narration.say(
      "Right after \(share(scores).percent) of the prompts. That is too little to look for a circuit:")
    narration.say("heads would be found, but they would be heads that react, not heads that do the task.")

    narration.section("3. A better list of words")
    narration.say(
      "Those words stood in sentences when the model was trained, never in lists. Others did stand in lists:")
    let task = try TaskSpec(
      parsing: spec(words: [
        "river", "stone", "winter", "music", "paper", "bread", "cloud",
        "silver", "forest", "window", "letter", "horse", "market", "bridge", "engine", "doctor",
      ]), path: "echo")
    let prompts = try task.promptSet(examples: 60, seed: 0, limits: limits)
    show(prompts, narration)
    narration.say("Right after \(share(try model.answerScores(prompts)).percent) of the prompts.")

    narration.section("4. Which heads it depends on")
    narration.say(
      "Each head in turn takes its mean over the negatives, position by position; the answers are asked again."
    )
    let ablation = try HeadAblation(of: prompts, model: model)
    let effects = ablation.effects(seed: 0)
    let heads = ablation.headsPerLayer
    let order = effects.indices.sorted { effects[$0].effect > effects[$1].effect }
    for place in order.prefix(6) {
      let effect = effects[place]
      narration.say(
        "\(place / heads).\(place % heads): \(effect.effect.percent) of the metric is lost "
          + "(\(effect.low.percent) to \(effect.high.percent) over prompts)")
    }
    try narration.draw(
      BarChart(
        title: "What is lost without each head", unit: "share of the metric",
        bars: order.prefix(12).map { place in
          let effect = effects[place]
          return BarChart.Bar(
            "\(place / heads).\(place % heads)", effect.effect,
            interval: min(effect.low, effect.high)...max(effect.low, effect.high))
        }
      ).svg, as: "effects")

    narration.section("5. The same heads as in 'induction'?")
    let known = try TaskLibrary.bundled().task("induction").truth(named: "ablation")
    let large = order.filter { effects[$0].effect >= 0.05 && effects[$0].low > 0 }
    let shared = large.filter { place in
      known.heads.contains { $0.layer == place / heads && $0.head == place % heads }
    }
    narration.say(
      "\(large.count) heads lose 5 % or more; \(shared.count) of them are in the truth that was measured for "
        + "the bundled task 'induction'.")
    narration.say("Save the spec as task.json, and 'headlamp discover task.json' takes it from here.")
  }

  static func show(_ prompts: PromptSet, _ narration: Narration) {
    guard let (positive, negative) = prompts.pairs.first else { return }
    narration.say("+ \(prompts.prompts[positive].text ?? "")")
    narration.say("− \(prompts.prompts[negative].text ?? "")")
  }

  static func share(_ scores: [AnswerScore]) -> Double {
    Double(scores.count(where: \.isRight)) / Double(max(1, scores.count))
  }

  /// Five words, and the first three again: the fourth should follow. In the negative three other words come.
  static func spec(words: [String]) -> String {
    """
    {
      "name": "echo",
      "summary": "Go on with a list that begins a second time",
      "lists": {"word": [\(words.map { "\"\($0)\"" }.joined(separator: ", "))]},
      "slots": {
        "A": {"from": "word"}, "B": {"from": "word"}, "C": {"from": "word"}, "D": {"from": "word"},
        "E": {"from": "word"}, "X": {"from": "word"}, "Y": {"from": "word"}, "Z": {"from": "word"},
        "A2": {"copy": "A"}, "B2": {"copy": "B"}, "C2": {"copy": "C"}
      },
      "templates": ["{A} {B} {C} {D} {E} {A2} {B2} {C2}"],
      "distinct": [["A", "B", "C", "D", "E", "X", "Y", "Z"]],
      "one_token": ["A", "B", "C", "D", "E", "X", "Y", "Z"],
      "answer": " {D}",
      "wrong": [" {B}", " {E}"],
      "negative": {"A2": "{X}", "B2": "{Y}", "C2": "{Z}"}
    }
    """
  }
}
