// headlamp compare: ways to rank heads beside each other, on a task (CompareTask) or on a recording.

import CircuitDiscovery
import Files
import FoundationEssentials
import Recordings
import SparseAutoencoders

/// Compares ways to rank heads.
enum CompareCommand: ShardableCommand {
  static let name = "compare"
  static let summary = "compare ways to rank heads, beside null baselines and measured effects"
  static let discussion = """
    On a task: ranks the heads of one model by code attribution, by the same with dictionaries that nobody trained, by
    every causal method and by what a recording can tell, all on the same prompts, and judges each ranking by what
    replacing heads was measured to do on prompts drawn with another seed. With --suite the same on every model and task of a suite;
    interrupted, the same command goes on. Writes comparison.csv, comparison.json and comparison.md.

    On a recording: trains and ranks by the protocols 'paper' and 'change' from several seeds, and does the same with
    null baselines in place of the trained autoencoder: an untrained random projection, k-means clusters, and the plain
    norm of the difference between a prompt and its paired negative. Prints a Markdown table of the trapezoid area
    under the ROC curve, mean and standard deviation over seeds.

    With --shard I/N one of N parts of the rankings (of all models and tasks, one after the other) is made on a task or a
    suite, and 'headlamp merge' writes the tables; effects are measured anew in every part that needs them.
    """
  static let positionals = [
    Positional(
      "RECORDING|TASK", .repeated, help: "what 'record' wrote; or a task, to compare all ways to rank heads")
  ]
  static let truth = Option<String>("truth", "TASK:NAME", help: "the ground truth to score against")
  static let seeds = Option<Int>("seeds", "N", default: 10, help: "how many seeds, from 0")
  static let json = Flag("json", help: "print one JSON object")
  static let examplesOption = Option<Int>(
    "examples", "N",
    help:
      "a task or suite: positive prompts ranked on (default 250); a recording: training examples (default 10)"
  )
  static let options: [any OptionDeclaration] =
    [
      truth, seeds, PromptOptions.model, examplesOption, PromptOptions.seed,
    ] + CompareTask.options + [
      TrainCommand.features, TrainCommand.lambda, TrainCommand.topK, TrainCommand.epochs,
      TrainCommand.learningRate, json, ShardOptions.shard,
    ]
  static let examples = [
    Example("headlamp compare ioi", "all ways to rank the bundled model's heads"),
    Example(
      "headlamp compare --suite siblings --models suites/siblings",
      "the same on models that nothing was chosen on"),
    Example("headlamp compare ioi.h5 --truth ioi:ablation", "whether the dictionary is worth its training"),
  ]

  static func leftBehind(_ arguments: ParsedArguments) -> String {
    "models and tasks that were done are kept, and the same command goes on from them"
  }

  static func run(_ arguments: ParsedArguments, _ work: Work, console: Console) throws {
    guard arguments[CompareTask.suite] == nil, arguments.positionals.first?.hasSuffix(".h5") == true else {
      try CompareTask.run(arguments, work, console: console)
      return
    }
    guard arguments.positionals.count == 1 else {
      throw UsageError.unexpectedWord(arguments.positionals[1], command: name)
    }
    for option in CompareTask.options + [PromptOptions.model, PromptOptions.seed, ShardOptions.shard]
    where arguments.isGiven(option) {
      throw UsageError.invalid("--\(option.name) goes with a task or a suite, not with a recording")
    }
    let groundTruth = try namedTruth(arguments.required(truth))
    let count = arguments[seeds] ?? 10
    guard (1...10_000).contains(count) else {
      throw UsageError.invalid("--seeds is \(count); allowed is 1 to 10000")
    }
    let hyperparameters = TrainCommand.hyperparameters(arguments)
    try hyperparameters.validate()
    let recording = try Recording(path: arguments.positionals[0])
    try groundTruth.requireHeads(
      layers: recording.description.layers, headsPerLayer: recording.description.heads, of: recording.path)
    let comparison = try compareRankings(
      recording, truth: groundTruth, seeds: 0..<UInt64(count), hyperparameters: hyperparameters
    ) { done, total in console.progress("comparing", done, of: total, "seeds") }
    console.endProgress()
    if arguments[json] {
      let encoder = JSONEncoder()
      encoder.outputFormatting = [.sortedKeys]
      console.print(String(decoding: try encoder.encode(comparison), as: UTF8.self))
      return
    }
    console.print("| score | encoder | AUC, \(count) seeds |")
    console.print("|---|---|---|")
    for row in comparison.rows {
      let spread = row.areas.count > 1 ? " ± " + row.deviation.text(decimals: 3) : ""
      console.print("| \(row.score) | \(row.encoder) | \(row.mean.text(decimals: 3))\(spread) |")
    }
  }
}
