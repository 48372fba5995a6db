// Wide attention: one layer of many heads beside a stack of layers with few, at equal numbers of parameters (after Brown,
// Zhao, Shumailov & Mullins 2022, arXiv 2210.00640), and the heads that do the tasks in each.
//
//   swift run -c release WideAttention

import CircuitDiscovery
import Narration
import Reports
import Tensors
import Transformers

@main
enum WideAttention {
  /// A shape of model: always 16 heads in all.
  struct Shape {
    let name: String
    let layers: Int
    /// Fewer layers have wider MLPs, so that all have as many parameters in their blocks.
    let mlpWidth: Int

    var heads: Int { 16 / layers }
    /// Heads are as wide as in the deepest, whose four fill the stream.
    static let modelWidth = 48
    static let headWidth = 12
  }

  static let shapes = [
    Shape(name: "deep: 4 layers of 4 heads", layers: 4, mlpWidth: 96),
    Shape(name: "2 layers of 8 heads", layers: 2, mlpWidth: 192),
    Shape(name: "wide: 1 layer of 16 heads", layers: 1, mlpWidth: 384),
  ]
  static let tasks = ["pronoun", "capital", "induction"]
  static let steps = 1000

  static func main() throws {
    let narration = try Narration("wide-attention")
    narration.section("1. The same tasks, the same parameters, three shapes")
    narration.say(
      "\(tasks.joined(separator: ", ")), learned together for \(steps) steps; 16 heads in all, one seed each."
    )
    var accuracies: [[Double]] = []
    for shape in shapes {
      try narration.withScratchFolder { folder in
        accuracies.append(try train(shape, to: folder, narration))
        try circuit(shape, folder, narration)
      }
    }
    narration.section("2. Side by side")
    for (place, task) in tasks.enumerated() {
      narration.say(
        "\(task): "
          + zip(shapes, accuracies).map { "\($0.name) \($1[place].percent)" }.joined(separator: ", "))
    }
    narration.say(
      "What one look back can answer, a wide layer learns as well as a stack; the paper finds the same for text"
    )
    narration.say(
      "classification. Induction needs one head to read what another wrote: a single layer has no such path, however"
    )
    narration.say(
      "wide it is, and falls behind.")
  }

  static func train(
    _ shape: Shape, to folder: String, _ narration: Narration
  ) throws -> [Double] {
    var plan = ModelTrainingPlan()
    (plan.layers, plan.heads, plan.mlpWidth, plan.steps) = (shape.layers, shape.heads, shape.mlpWidth, steps)
    (plan.modelWidth, plan.headWidth) = (Shape.modelWidth, Shape.headWidth)
    plan.style.hasRotaryPositions = true
    plan.learningRate = 4e-3
    plan.corpus.pairs = 3_000
    let library = TaskLibrary.bundled()
    var training = try ModelTraining(tasks: try tasks.map(library.task), plan: plan)
    while !training.isFinished { try training.advance() }
    try training.writeModel(to: folder, command: "WideAttention", version: "narrated")
    let last = training.history.examinations.last?.tasks.map(\.accuracy) ?? []
    let parameters = training.trainer.parameters.count
    narration.say(
      "\(shape.name), \(parameters) parameters: "
        + zip(tasks, last).map { "\($0) \($1.percent)" }.joined(separator: ", "))
    return last
  }

  /// What each head is worth to each task that the model does.
  static func circuit(_ shape: Shape, _ folder: String, _ narration: Narration) throws {
    let model = try Transformer(folder: folder)
    var rows: [[Double?]] = []
    for name in tasks {
      let prompts = try TaskLibrary.bundled().task(name).promptSet(
        examples: 40, seed: 7, limits: PromptLimits(modelFolder: folder))
      let effects = try HeadAblation(of: prompts, model: model).effects(seed: 0).map(\.effect)
      rows.append(effects.map { 100 * $0 })
      let large = effects.count { $0 >= 0.1 }
      narration.say("   \(name): \(large) of 16 heads are worth a tenth of the metric or more each")
    }
    try narration.draw(
      HeatMap(
        title: "Share of the metric lost without each head, in percent: \(shape.name)", rowTitle: "task",
        columnTitle: "head", rows: tasks,
        columns: (0..<16).map { "\($0 / shape.heads).\($0 % shape.heads)" }, values: rows
      ).svg, as: "heads-\(shape.layers)-layers")
  }
}
