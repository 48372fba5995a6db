// Training a toy model and finding its circuit: two layers learn to go on with a repeated span, by induction heads.
//
//   swift run -c release TrainAToyModel

import CausalMethods
import CircuitDiscovery
import Narration
import Reports
import Tensors
import Transformers

@main
enum TrainAToyModel {
  static func main() throws {
    let narration = try Narration("train-a-toy-model")
    try narration.withScratchFolder { folder in
      let task = try TaskLibrary.bundled().task("induction")
      try train(on: task, to: folder, narration)
      let model = try Transformer(folder: folder)
      let prompts = try task.promptSet(examples: 60, seed: 7, limits: PromptLimits(modelFolder: folder))
      let kinds = try attention(of: model, prompts, narration)
      try circuit(of: model, prompts, kinds, narration)
    }
  }

  static func train(on task: TaskSpec, to folder: String, _ narration: Narration) throws {
    narration.section("1. Training")
    narration.say("Two layers of four heads without MLPs: the smallest model that can do induction.")
    var plan = ModelTrainingPlan()
    (plan.layers, plan.heads, plan.mlpWidth, plan.steps) = (2, 4, 0, 800)
    plan.style.hasRotaryPositions = true
    plan.learningRate = 4e-3
    plan.evaluationInterval = 50
    plan.corpus.pairs = 4_000
    var training = try ModelTraining(tasks: [task], plan: plan)
    while !training.isFinished { try training.advance() }
    try training.writeModel(to: folder, command: "TrainAToyModel", version: "narrated")
    let examinations = training.history.examinations
    for examination in examinations where [50, 100, 150, 200, 300, 800].contains(examination.step) {
      let accuracy = examination.tasks.first?.accuracy ?? 0
      narration.say("after \(examination.step) steps: right on \(accuracy.percent) of held-out prompts")
    }
    narration.say("Accuracy does not grow evenly: it rises when heads of both layers have found each other.")
    try narration.draw(
      LineChart(
        title: "Learning to go on with a repeated span", xTitle: "step",
        yTitle: "share of held-out prompts that are right",
        series: [
          .init("accuracy", examinations.map { (x: Double($0.step), y: $0.tasks.first?.accuracy ?? 0) })
        ], yRange: 0...1
      ).svg, as: "learning")
  }

  static func attention(
    of model: Transformer, _ prompts: PromptSet, _ narration: Narration
  ) throws -> [[AttentionKinds]] {
    narration.section("2. What its heads look at")
    let positives = prompts.prompts.filter(\.isPositive).map(\.tokens)
    let kinds = try AttentionKinds.measure(model, positives)
    for (layer, heads) in kinds.enumerated() {
      for (head, kind) in heads.enumerated() {
        narration.say(
          "\(layer).\(head): previous token \(kind.previousToken.short), induction \(kind.induction.short)"
            + (kind.role.map { " → \($0)" } ?? ""))
      }
    }
    let (layer, head) = strongest(kinds) { $0.induction }
    guard let prompt = positives.min(by: { $0.count < $1.count }) else { return kinds }
    let point = HookPoint.pattern(layer: layer)
    let pattern = try model.run(TokenBatch([prompt]), reading: [point])[point]
    let places = prompt.indices.map(String.init)
    try narration.draw(
      HeatMap(
        title: "Where \(layer).\(head) looks, on one prompt", rowTitle: "from position",
        columnTitle: "to position",
        rows: places, columns: places,
        values: prompt.indices.map { row in
          prompt.indices.map { $0 <= row ? Double(pattern[0, head, row, $0]) : nil }
        }
      ).svg, as: "induction-pattern")
    return kinds
  }

  static func circuit(
    of model: Transformer, _ prompts: PromptSet, _ kinds: [[AttentionKinds]], _ narration: Narration
  ) throws {
    narration.section("3. Which heads the answer depends on")
    let ablation = try HeadAblation(of: prompts, model: model)
    let effects = ablation.effects(seed: 0).map(\.effect)
    let heads = ablation.headsPerLayer
    let order = effects.indices.sorted { effects[$0] > effects[$1] }
    for place in order.prefix(4) {
      narration.say(
        "\(place / heads).\(place % heads): \(effects[place].percent) of the metric is lost without it")
    }
    try narration.draw(
      HeatMap(
        title: "Share of the metric that is lost without each head, in percent", rowTitle: "layer",
        columnTitle: "head",
        rows: (0..<ablation.layers).map(String.init), columns: (0..<heads).map(String.init),
        values: (0..<ablation.layers).map { layer in (0..<heads).map { 100 * effects[layer * heads + $0] } }
      ).svg, as: "ablation")

    narration.section("4. The circuit")
    let first = strongest(kinds) { $0.previousToken }
    let second = strongest(kinds) { $0.induction }
    let looked = kinds[first.layer][first.head].previousToken.short
    let matched = kinds[second.layer][second.head].induction.short
    narration.say(
      "\(first.layer).\(first.head) looks at the token before (\(looked) of its attention) and writes at every token what "
        + "stood before it.")
    narration.say(
      "\(second.layer).\(second.head) looks for the token at hand among those (\(matched)), and copies what it finds."
    )
    let path = GraphEdge(
      .head(layer: first.layer, head: first.head), .head(layer: second.layer, head: second.head, .keys))
    let graph = CircuitGraph(model.configuration)
    guard let method = attributionMethod(named: "eap-ig-inputs"), let place = graph.edgeNumber(of: path)
    else { return }
    let task = try prompts.causalTask(needsPairs: false)
    var options = AttributionOptions()
    options.replacement = .mean
    let scores = try method.init().attribute(model, task, options) { _, _ in }.edgeScores ?? []
    let rank = scores.count { abs($0) > abs(scores[place]) } + 1
    narration.say(
      "Of \(graph.edgeCount) edges, \(path) is number \(rank) by EAP-IG: what the second head's keys are made of."
    )
    narration.say("Induction circuits: Elhage et al. 2021, Olsson et al. 2022.")
  }

  static func strongest(
    _ kinds: [[AttentionKinds]], by share: (AttentionKinds) -> Double
  ) -> (layer: Int, head: Int) {
    var best = (layer: 0, head: 0)
    for (layer, heads) in kinds.enumerated() {
      for head in heads.indices where share(heads[head]) > share(kinds[best.layer][best.head]) {
        best = (layer, head)
      }
    }
    return best
  }
}
