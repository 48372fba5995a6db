// headlamp discover: from a task to ranked heads, all stages in one process.

import CircuitDiscovery
import Files
import FoundationEssentials
import Recordings
import Reports
import SparseAutoencoders
import Transformers

/// Records, trains, ranks and sums up.
enum DiscoverCommand: Subcommand {
  static let name = "discover"
  static let summary = "find the heads that do a task: record, train, rank"
  static let discussion = """
    Runs all stages on one task: prompts are made and run through the model, every head's output is recorded, a
    discrete sparse autoencoder is trained on a handful of prompts, and heads and pairs of heads are ranked by their
    codes. Writes recording.h5, autoencoder.safetensors, heads.csv, pairs.csv and summary.json to a folder; each stage
    can be done again from the file of the stage before it ('record', 'train', 'rank'). The ranking is held against null
    baselines that no training went into, and against a ground truth where one is named or was measured on this model.
    The protocol 'paper' is O'Neill & Bui's published procedure; 'default' is what this project measured to be better.
    """
  static let positionals = [PromptOptions.task]
  static let output = Option<String>("output", "DIR", help: "the folder to write (default results/TASK)")
  static let position = Option<RecordedPosition>(
    "position", "mean|last|answer|each|NAME",
    help: "where outputs are read (default: mean for the protocol 'paper', else answer)")
  static let trainingExamples = Option<Int>(
    "training-examples", "N", default: 10, help: "examples the autoencoder is trained on")
  static let options: [any OptionDeclaration] =
    PromptOptions.all + [
      output, position, TrainCommand.protocolName, TrainCommand.features, lambda, TrainCommand.topK,
      TrainCommand.epochs, TrainCommand.learningRate, trainingExamples, RankCommand.truth,
    ]
  static let lambda = Option<Double>(
    "lambda", "X", help: "weight of the L1 norm of activations (default: the task's own, else 0.02)")
  static let examples = [
    Example("headlamp discover ioi", "the bundled model's heads for indirect objects, in results/ioi"),
    Example(
      "headlamp discover prompts.jsonl --model gpt2 --protocol paper --seed 3 --output results/mine",
      "your prompts and model by the published procedure"),
  ]

  static func run(_ arguments: ParsedArguments, console: Console) throws {
    let given = arguments[RankCommand.truth]
    let namedTruth = try given.map { try Commands.namedTruth($0) }
    var stages = StageTimes()
    let loaded = try PromptOptions.load(arguments)
    try loaded.prompts.requireNegatives()
    try namedTruth?.requireHeads(
      layers: loaded.model.configuration.layers, headsPerLayer: loaded.model.configuration.heads,
      of: loaded.folder)
    for note in loaded.notes { console.note(note) }
    let chosen = arguments[TrainCommand.protocolName] ?? .standard
    let hyperparameters = hyperparameters(arguments, task: loaded.task)
    try hyperparameters.validate()
    let folder = arguments[output] ?? "results/\(resultName(loaded))"
    try makeFolder(folder)

    let recorder = HeadRecorder(loaded)
    stages.finish("load")
    let recording = try recorder.recordOrStop(
      loaded.prompts, position: arguments[position] ?? (chosen == .paper ? .mean : .named("answer")),
      to: folder + "/recording.h5", console: console)
    stages.finish("record")
    let trained = try TrainedAutoencoders.train(
      on: recording, protocol: chosen.training, hyperparameters: hyperparameters, seed: loaded.prompts.seed
    ) { done, total in
      if done % 10 == 0 { console.progress("training: step \(done) of \(total)") }
    }
    try trained.save(to: folder + "/autoencoder.safetensors")
    stages.finish("train")
    console.progress("ranking")
    let scorer = try HeadScorer(recording, trained: trained, protocol: chosen.ranking)
    let ranking = scorer.ranking()
    let truth = try namedTruth ?? loaded.task?.measuredTruth(of: recorder.identity)
    try ranking.headsTable(truth: truth).write(to: folder + "/heads.csv")
    try ranking.pairsTable().write(to: folder + "/pairs.csv")
    stages.finish("rank")
    let nulls = try NullBaseline.all(
      beside: ranking.scores, of: recording, trained: trained, protocol: chosen.ranking, truth: truth)
    let evaluation = try truth.map {
      try Evaluation(
        ranking.table(path: folder + "/heads.csv"), draws: scorer.scores(draws: 1000, seed: trained.seed),
        truth: $0)
    }
    let summary = DiscoverySummary(
      recording: recording, trained: trained, ranking: ranking, shareWithoutCode: scorer.shareWithoutCode,
      evaluation: evaluation, nulls: nulls)
    try summary.write(to: folder + "/summary.json")
    stages.finish("compare")
    console.endProgress()

    for line in ranking.lines(best: 10, truth: truth) { console.print(line) }
    if let share = scorer.shareWithoutCode {
      console.print("\((100 * share).text(decimals: 1)) % of heads' outputs show no code")
    }
    for line in comparison(evaluation, nulls) { console.print(line) }
    console.note("\(stages.text): \(folder)")
  }

  /// The area against the truth, and what null baselines say.
  private static func comparison(_ evaluation: Evaluation?, _ nulls: [NullBaseline]) -> [String] {
    var lines: [String] = []
    let area = evaluation?.measure(named: "trapezoid_auc")
    if let evaluation, let area {
      let interval = area.interval.map {
        " [\($0.lowerBound.text(decimals: 3)), \($0.upperBound.text(decimals: 3))] over prompts"
      }
      lines.append(
        "\(evaluation.trueItems) of \(evaluation.items) heads are in \(evaluation.truth); trapezoid_auc "
          + area.mean.text(decimals: 3) + (interval ?? ""))
    }
    for null in nulls {
      let correlation = null.rankCorrelation?.text(decimals: 3) ?? "undefined"
      let auc = null.trapezoidAUC.map { ", trapezoid_auc " + $0.text(decimals: 3) } ?? ""
      lines.append("null, \(null.name): rank correlation with this ranking \(correlation)" + auc)
    }
    if let area, let best = nulls.compactMap(\.trapezoidAUC).max(), best >= area.mean {
      lines.append("a null baseline does as well: the trained dictionary has added nothing to this ranking")
    }
    return lines
  }

  private static func hyperparameters(_ arguments: ParsedArguments, task: TaskSpec?) -> Hyperparameters {
    var chosen = TrainCommand.hyperparameters(arguments)
    chosen.examples = arguments[trainingExamples] ?? 10
    chosen.sparsity = arguments[lambda] ?? task?.sparsity ?? 0.02
    return chosen
  }

  /// The task's name; for a file of prompts, the file's.
  private static func resultName(_ loaded: PromptOptions.Loaded) -> String {
    if let task = loaded.task { return task.name }
    return URL(fileURLWithPath: loaded.prompts.task).deletingPathExtension().lastPathComponent
  }
}
