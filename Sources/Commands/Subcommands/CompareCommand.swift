// headlamp compare: protocols beside null baselines, over several seeds.

import CircuitDiscovery
import Files
import FoundationEssentials
import Recordings
import SparseAutoencoders

/// Compares ways to rank heads on one recording.
enum CompareCommand: Subcommand {
  static let name = "compare"
  static let summary = "compare the protocols with null baselines on a recording"
  static let discussion = """
    Trains and ranks a recording by both protocols from several seeds, and does the same with null baselines in place
    of the trained autoencoder: an untrained random projection, k-means clusters, and the plain norm of the difference
    between a prompt and its paired negative. Prints a Markdown table of the trapezoid area under the ROC curve, mean
    and standard deviation over seeds.
    """
  static let positionals = [
    Positional("RECORDING|TASK", help: "what 'record' wrote; or a task, to compare all ways to rank heads")
  ]
  static let truth = Option<String>("truth", "TASK:NAME", help: "the ground truth to score against")
  static let seeds = Option<Int>("seeds", "N", default: 10, help: "how many seeds, from 0")
  static let json = Flag("json", help: "print one JSON object")
  static let options: [any OptionDeclaration] = [
    truth, seeds, PromptOptions.model, PromptOptions.examples, PromptOptions.seed,
  ] + CompareTask.options + [TrainCommand.features, TrainCommand.lambda, TrainCommand.topK, TrainCommand.epochs,
    TrainCommand.learningRate, TrainCommand.trainingExamples, json]
  static let examples = [
    Example("headlamp compare ioi.h5 --truth ioi:ablation", "whether the dictionary is worth its training")
  ]

  static func run(_ arguments: ParsedArguments, console: Console) throws {
    guard arguments.positionals[0].hasSuffix(".h5") else {
      try CompareTask.run(arguments, console: console)
      return
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
    ) { done, total in console.progress("seed \(done) of \(total)") }
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
