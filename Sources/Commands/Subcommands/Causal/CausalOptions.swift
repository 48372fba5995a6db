// The options of every subcommand that changes values in a model's run, and what they mean.

import CausalMethods
import CircuitDiscovery
import Files
import Tensors
import Transformers

/// Which prompts, metric and replacement.
enum CausalOptions {
  static let replacement = Option<SourceReplacement>(
    "replace", "WITH", default: .pair,
    help:
      "what stands in for a value: pair (its value in the prompt's own negative), mean (over negatives of the same "
      + "length, position by position), mean-over-positions, zero or resample")
  static let metric = Option<CausalMetric>(
    "metric", "NAME",
    help: "logit_difference, probability_difference, loss, kl or accuracy (default: the task's own)")
  static let tokenLimit = Option<Int>(
    "batch-tokens", "N", default: 448, help: "about how many tokens run at once; more takes more memory")

  static let all: [any OptionDeclaration] = PromptOptions.all + [replacement, metric, tokenLimit]

  /// A model with a task for it.
  struct Loaded {
    var prompts: PromptOptions.Loaded
    var task: CausalTask
    var options: AttributionOptions

    var model: Transformer { prompts.model }
    var graph: CircuitGraph { CircuitGraph(prompts.model.configuration) }
  }

  /// Reads the task and opens the model.
  /// - Parameter replacements: those that the work can use.
  static func load(
    _ arguments: ParsedArguments, replacements: [SourceReplacement] = SourceReplacement.allCases
  ) throws -> Loaded {
    var options = AttributionOptions()
    options.replacement = arguments[replacement] ?? .pair
    if !arguments.isGiven(replacement), !replacements.contains(options.replacement) {
      options.replacement = replacements.first ?? .pair
    }
    guard replacements.contains(options.replacement) else {
      let names = replacements.map(\.rawValue).joined(separator: " or ")
      throw UsageError.invalid(
        "--replace \(options.replacement.rawValue) does not go with this: it takes \(names)")
    }
    options.tokenLimit = try arguments.required(tokenLimit)
    guard options.tokenLimit > 0 else { throw UsageError.invalid("--batch-tokens must be above 0") }
    let loaded = try PromptOptions.load(arguments)
    options.seed = loaded.prompts.seed
    let task = try loaded.prompts.causalTask(
      metric: arguments[metric], needsPairs: options.replacement == .pair)
    return Loaded(prompts: loaded, task: task, options: options)
  }

  /// How a result was made, for files.
  static func provenance(_ loaded: Loaded, command: String) throws -> [JSONMember] {
    let identity = try loaded.prompts.identity.value
    let seed = loaded.prompts.prompts.seed
    return [
      JSONMember("created_by", .string("headlamp \(headlampVersion) \(command)")),
      JSONMember("task", .string(loaded.prompts.prompts.task)),
      JSONMember("model", .string(identity.name)),
      JSONMember("model_sha256", .string(identity.weightsSHA256)),
      JSONMember("seed", Int(exactly: seed).map { .integer($0) } ?? .string("\(seed)")),
      JSONMember("prompts", .integer(loaded.task.clean.count)),
      JSONMember("metric", .string(loaded.task.metric.rawValue)),
      JSONMember("replace", .string(loaded.options.replacement.rawValue)),
    ]
  }
}

extension SourceReplacement: ArgumentValue {}
extension CausalMetric: ArgumentValue {}

/// The mean of values.
func average(_ values: [Double]) -> Double {
  values.isEmpty ? 0 : values.reduce(0, +) / Double(values.count)
}
