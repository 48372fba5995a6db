// A first circuit: which attention heads of a small model find the indirect object, and what they do it with.
//
//   swift run -c release FirstCircuit

import CausalMethods
import CircuitDiscovery
import Narration
import Reports
import SparseAutoencoders
import Tokenizers
import Transformers

@main
enum FirstCircuit {
  static func main() throws {
    let narration = try Narration("first-circuit")
    let library = TaskLibrary.bundled()
    let folder = (library.folder ?? "Circuits") + "/default-model"

    narration.section("1. A question that has a right answer")
    narration.say(
      "When Mary and John went to the store, John gave a drink to … whom? Mary: the indirect object.")
    narration.say(
      "The task 'ioi' makes such prompts, and beside each a negative in which nobody is named twice:")
    let prompts = try library.task("ioi").promptSet(
      examples: 100, seed: 0, limits: PromptLimits(modelFolder: folder))
    for (positive, negative) in prompts.pairs.prefix(1) {
      narration.say("+ \(prompts.prompts[positive].text ?? "")")
      narration.say("− \(prompts.prompts[negative].text ?? "")")
    }

    narration.section("2. A model that answers it")
    let model = try Transformer(folder: folder)
    let scores = try model.answerScores(prompts)
    let right = Double(scores.count(where: \.isRight)) / Double(max(1, scores.count))
    narration.say("\(model.configuration.layers) layers of \(model.configuration.heads) heads.")
    narration.say("Its most likely next token is the right name after \(right.percent) of the prompts.")
    let margin = mean(scores.map(\.margin)).short
    narration.say(
      "The metric from here on is the logit of the right name less that of the wrong one: \(margin).")

    narration.section("3. A dictionary of what heads write")
    narration.say(
      "A head writes a vector into the residual stream. A sparse dictionary splits it into a few codes,")
    narration.say("each a direction, out of 200 that are learned from what all heads write.")
    let task = try prompts.causalTask(needsPairs: true)
    let settings = DictionarySettings()
    let samples = try model.sampleHeadOutputs(task, count: settings.samples, seed: 0)
    let scales = samples.scales
    let trained = trainDictionary(on: samples.scaled(by: scales), settings, seed: 0)
    narration.say(
      "Loss \((trained.losses.first ?? 0).short) at first, \((trained.losses.last ?? 0).short) at last.")
    try narration.draw(
      LineChart(
        title: "Training of the dictionary", xTitle: "step", yTitle: "loss",
        series: [.init("loss", trained.losses.enumerated().map { (x: Double($0.offset), y: $0.element) })]
      ).svg, as: "dictionary-loss")

    narration.section("4. What each code does to the answer")
    narration.say(
      "Each head's output is moved to its value in the negative. A code's attribution is the change of its")
    narration.say(
      "activation times what its direction does to the metric: decoder · gradient, averaged on the way.")
    let found = try model.attributeCodes(
      task, HeadPathOptions(), dictionaries: [CodeDictionary(trained.dictionary, scales: scales)])
    let ranking = CodeRanking(
      found.attributions, metric: found.metric, headsPerLayer: model.configuration.heads, seed: 0)
    let circuit = ranking.heads.filter(\.isInCircuit)
    for head in circuit {
      let (low, high) = (head.interval.lowerBound / ranking.metric, head.interval.upperBound / ranking.metric)
      narration.say(
        "\(head.layer).\(head.head) carries \((-head.share).percent) of the metric (95 % of redrawn prompts: "
          + "\((-high).percent) to \((-low).percent))")
    }
    narration.say("These \(circuit.count) heads are the circuit: at least 5 % each, and not zero by chance.")
    try narration.draw(map(ranking, circuit, model), as: "heads")

    narration.section("5. Which codes they use")
    let words = try Tokenizer(contentsOf: folder)
    let cards = try found.attributions[0].cards(
      model, task, heads: circuit.prefix(4).map { $0.layer * ranking.headsPerLayer + $0.head }, count: 1,
      seed: 0)
    for card in cards {
      let promoted = card.promotes.compactMap { words.token(of: $0) }.joined(separator: " ")
      let token = words.token(of: card.token) ?? "?"
      narration.say(
        "code \(card.code) of \(card.layer).\(card.head): \(card.shareOfHead.percent) of the head, most at '\(token)'; "
          + "it raises \(promoted)")
    }

    narration.section("6. The check: take the heads away")
    narration.say("Attribution is an estimate. Replacing heads and asking again is not.")
    let others = ranking.heads.filter { !$0.isInCircuit }
    let study = try InterventionStudy(model, task, AttributionOptions())
    let effects = try study.effects(of: [
      InterventionTarget("the circuit", circuit.map { .head(layer: $0.layer, head: $0.head) }),
      InterventionTarget(
        "the next as many", others.prefix(circuit.count).map { .head(layer: $0.layer, head: $0.head) }),
      InterventionTarget(
        "the last as many", others.suffix(circuit.count).map { .head(layer: $0.layer, head: $0.head) }),
    ])
    let base = mean(effects.base)
    for (place, target) in effects.targets.enumerated() {
      narration.say("without \(target.name): metric \(mean(effects.values[place]).short) of \(base.short)")
    }
    try narration.draw(
      BarChart(
        title: "The metric without some heads", unit: "logit difference",
        bars: [.init("everything in place", base)]
          + effects.targets.enumerated().map {
            .init("without \($0.element.name)", mean(effects.values[$0.offset]))
          }
      ).svg, as: "check")
  }

  /// All heads by their share of the metric, the circuit outlined.
  static func map(_ ranking: CodeRanking, _ circuit: [AttributedHead], _ model: Transformer) -> String {
    let (layers, heads) = (model.configuration.layers, model.configuration.heads)
    var shares = [[Double?]](repeating: [Double?](repeating: nil, count: heads), count: layers)
    for head in ranking.heads { shares[head.layer][head.head] = -100 * head.share }
    return HeatMap(
      title: "Share of the metric through each head, in percent", rowTitle: "layer", columnTitle: "head",
      rows: (0..<layers).map(String.init), columns: (0..<heads).map(String.init), values: shares,
      outlined: Set(circuit.map { [$0.layer, $0.head] })
    ).svg
  }
}
