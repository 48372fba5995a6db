// headlamp discover: from a task to ranked heads, all stages in one process.

import CircuitDiscovery
import Files
import Probes
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
    Finds the heads that do a task, and what they do it with. Prompts are made and run through the model; a sparse
    dictionary is trained on what all heads write at all positions; and each head is scored by its codes: the change of
    every code between a prompt and its negative, times what the code's direction does to the answer (its gradient,
    averaged on the way from one to the other). --replace mean asks another question: not what carries the difference
    between a prompt and its negative, but what the task cannot do without.

    Writes heads.csv, pairs.csv, codes.csv, code-pairs.csv, dictionary.safetensors, recording.h5 (outputs at the answer),
    normality.safetensors and summary.json. Prompts that are unlike those the dictionary was trained on are named.
    Intervals are over prompts; a head is in the circuit where its attribution is at least --least-share of the metric and
    not zero by a test with flipped signs, with false discoveries held at 5 %. The ranking is held against dictionaries
    that nobody trained, and against a truth where one is named or was measured. With --dictionary codebook no dictionary
    is trained: codes are those of the model's own codebooks, in native-codes.csv, and sum to a head's whole attribution.

    --protocol paper is O'Neill & Bui's published procedure, --protocol change ranks by how much learned activations
    change; both work from the recording alone and write autoencoder.safetensors.
    """
  static let positionals = [PromptOptions.task]
  static let output = Option<String>("output", "DIR", help: "the folder to write (default results/TASK)")
  static let position = Option<RecordedPosition>(
    "position", "mean|last|answer|each|NAME",
    help: "where outputs are recorded (default: mean for the protocol 'paper', else answer)")
  static let trainingExamples = Option<Int>(
    "training-examples", "N", help: "change and paper: examples the autoencoder is trained on (default 10)")
  static let protocolName = Option<ProtocolName>(
    "protocol", "NAME", default: .attribution, help: "default, change or paper")
  static let learningRate = Option<Double>(
    "learning-rate", "X", help: "Adam's learning rate (default 0.01; 0.001 for change and paper)")
  static let epochs = Option<Int>(
    "epochs", "N", help: "updates of the dictionary (default 800), or full-batch steps (500)")
  static let options: [any OptionDeclaration] =
    PromptOptions.all + [
      output, position, protocolName, RankCommand.truth, TrainCommand.features, lambda, TrainCommand.topK,
      epochs, learningRate, trainingExamples,
      ReportCommand.none, ReportCommand.figures,
    ] + AttributionDiscovery.options
  static let lambda = Option<Double>(
    "lambda", "X",
    help:
      "weight of the L1 norm of activations (default: the 16 largest are kept instead; for change and paper the "
      + "task's own, else 0.02)")
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
    let chosen = arguments[protocolName] ?? .attribution
    let folder = arguments[output] ?? "results/\(resultName(loaded))"
    guard chosen != .attribution else {
      for option in [trainingExamples] as [any OptionDeclaration] where arguments.isGiven(option) {
        throw UsageError.invalid("--\(option.name) goes with --protocol change or paper")
      }
      switch arguments[AttributionDiscovery.dictionary] ?? .trained {
      case .trained:
        try AttributionDiscovery.run(
          arguments, loaded, folder: folder, namedTruth: namedTruth, stages: &stages, console: console)
      case .codebook:
        try CodebookDiscovery.run(
          arguments, loaded, folder: folder, namedTruth: namedTruth, stages: &stages, console: console)
      }
      return
    }
    for option in AttributionDiscovery.options where arguments.isGiven(option) {
      throw UsageError.invalid("--\(option.name) goes with the default protocol, not with \(chosen.rawValue)")
    }
    var hyperparameters = hyperparameters(arguments, task: loaded.task)
    try hyperparameters.validate()
    try claimFolder(folder)

    let recorder = HeadRecorder(loaded)
    stages.finish("load")
    let recording = try recorder.recordOrStop(
      loaded.prompts, position: arguments[position] ?? (chosen == .paper ? .mean : .named("answer")),
      to: folder + "/recording.h5", console: console)
    stages.finish("record")
    if !arguments.isGiven(trainingExamples) {
      TrainCommand.fit(&hyperparameters, to: recording, console)
    }
    let trained = try TrainedAutoencoders.train(
      on: recording, protocol: chosen.training, hyperparameters: hyperparameters, seed: loaded.prompts.seed
    ) { done, total in
      if done % 10 == 0 { console.progress("training", done, of: total, "steps") }
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
    let known = Set(trained.members.flatMap(\.trainingExamples))
    let odd = try OddPromptNotice(
      recording, trainedOn: known.sorted().map { recording.examples[$0].tokens }, seed: trained.seed,
      savingTo: folder + "/normality.safetensors")
    var summary = DiscoverySummary(
      recording: recording, trained: trained, ranking: ranking, shareWithoutCode: scorer.shareWithoutCode,
      evaluation: evaluation, nulls: nulls)
    summary.oddPrompts = odd?.prompts.map { .init(prompt: $0.index, pValue: $0.pValue) }
    try summary.write(to: folder + "/summary.json")
    try ReportCommand.write(arguments, folder: folder, console: console)
    stages.finish("compare")
    console.endProgress()

    for line in ranking.lines(best: 10, truth: truth) { console.print(line) }
    if let share = scorer.shareWithoutCode {
      console.print("\((100 * share).text(decimals: 1)) % of heads' outputs show no code")
    }
    for line in comparison(evaluation, nulls) { console.print(line) }
    if let line = odd?.line { console.print(line) }
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
    chosen.epochs = arguments[epochs] ?? 500
    chosen.learningRate = arguments[learningRate] ?? 0.001
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
