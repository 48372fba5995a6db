// headlamp compare TASK: all ways to rank heads on the same prompts.

import CircuitDiscovery
import Files
import FoundationEssentials
import Reports
import SparseAutoencoders
import Transformers

/// Compares rankings on a task.
enum CompareTask {
  static let methods = Option<String>(
    "methods", "quick|all|NAMES", default: "quick", help: "which rankings, by name with commas between")
  static let judging = Option<Int>(
    "judging-examples", "N", default: 200, help: "positive prompts that heads' effects are measured on")
  static let steps = Option<Int>("steps", "N", default: 5, help: "steps of integrated gradients")
  static let dictionarySteps = Option<Int>("dictionary-steps", "N", default: 800, help: "steps of training")
  static let samples = Option<Int>("samples", "N", default: 16384, help: "head outputs trained on")
  static let output = Option<String>("output", "DIR", help: "the folder to write to")
  static let options: [any OptionDeclaration] = [methods, judging, steps, dictionarySteps, samples, output]

  static func run(_ arguments: ParsedArguments, console: Console) throws {
    let loaded = try PromptOptions.load(arguments)
    var material = RankingMaterial(
      model: loaded.model, prompts: loaded.prompts, scratch: FileManager.default.temporaryDirectory.path)
    material.seed = loaded.prompts.seed
    material.steps = arguments[steps] ?? 5
    material.dictionary.steps = arguments[dictionarySteps] ?? 800
    material.dictionary.samples = arguments[samples] ?? 16384
    if arguments.isGiven(TrainCommand.features) { material.dictionary.features = arguments[TrainCommand.features] ?? 200 }
    if arguments.isGiven(TrainCommand.lambda) { material.dictionary.sparsity = arguments[TrainCommand.lambda] ?? 0.03; material.dictionary.activeFeatures = nil }
    if arguments.isGiven(TrainCommand.learningRate) { material.dictionary.learningRate = arguments[TrainCommand.learningRate] ?? 0.003 }
    if let k = arguments[TrainCommand.topK] { material.dictionary.activeFeatures = k }
    let names = arguments[methods] ?? "quick"
    let chosen =
      names == "quick"
      ? ComparedRanking.quick
      : names == "all"
        ? ComparedRanking.all
        : ComparedRanking.all.filter { names.split(separator: ",").map(String.init).contains($0.name) }
    guard let task = loaded.task else { throw UsageError.invalid("a task is needed") }
    let limits = try PromptLimits(modelFolder: loaded.folder)
    let judging = try task.promptSet(
      examples: arguments[judging], seed: loaded.prompts.seed &+ 1000, limits: limits)
    let comparison = try TaskComparison(chosen, material, judging: judging, model: loaded.folder) {
      console.progress($0)
    }
    console.endProgress()
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    console.print(String(decoding: try encoder.encode(comparison), as: UTF8.self))
  }
}
