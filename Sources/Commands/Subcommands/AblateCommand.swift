// headlamp ablate: how much a task depends on each head, measured by replacing it.

import CircuitDiscovery
import Files
import Reports
import Tensors

/// Measures the effect of every head, and stores it as a ground truth.
enum AblateCommand: ShardableCommand {
  static let name = "ablate"
  static let summary = "measure how much a task depends on each head, and store it as a ground truth"
  static let discussion = """
    Replaces each head's output in turn and scores the answers to N positive prompts again. The effect of a head is \
    the share of the mean margin (answer minus mean of the wrong answers, in logits or probabilities as the task \
    says) that is lost: 0.3 means that 30 % of it hangs on this head, a negative effect that the head works against \
    the answer. Intervals are 95 % bootstrap intervals over prompts.
    A head is replaced by its mean over negatives of the same length (--replace negatives), over all prompts of the \
    same length (prompts), or by its value in the prompt's own negative (pair), position by position.
    With --write-truth the heads whose effect is at least the threshold in size, with an interval that leaves out \
    zero, become a ground truth of the task, with all effects and how they were made.

    With --shard I/N it measures one of N parts of the positive prompts, which 'headlamp merge' puts together.
    """
  static let positionals = [PromptOptions.task]
  static let replacement = Option<HeadReplacement>(
    "replace", "WITH", default: .negatives, help: "what stands in for a head: negatives, prompts or pair")
  static let metric = Option<AnswerMetric>("metric", "NAME", help: "another metric than the task's own")
  static let threshold = Option<Double>(
    "threshold", "SHARE", default: 0.05, help: "the smallest effect that makes a head part of the truth")
  static let truthName = Option<String>("write-truth", "NAME", help: "store the result in the task's spec")
  static let output = Option<String>("output", "FILE", help: "also write every head's effect as CSV")
  static let json = Flag("json", help: "print the ground truth as JSON")
  static let options: [any OptionDeclaration] =
    PromptOptions.all + [replacement, metric, threshold, truthName, output, json, ShardOptions.shard]
  static let examples = [
    Example("headlamp ablate ioi --model gpt2 --examples 100", "every head's effect, largest first"),
    Example(
      "headlamp ablate ./my-task --model my-model --write-truth ablation",
      "stores the result as my-task:ablation"),
  ]

  static func run(_ arguments: ParsedArguments, _ work: Work, console: Console) throws {
    let threshold = arguments[threshold] ?? 0.05
    guard threshold > 0 else { throw UsageError.invalid("--threshold must be above 0, not \(threshold)") }
    let loaded = try PromptOptions.load(arguments)
    for note in loaded.notes { console.note(note) }
    guard arguments[truthName] == nil || loaded.task != nil else {
      throw UsageError.invalid("--write-truth needs a task with a spec to write into, not a file of prompts")
    }
    let (replacement, metric) = (arguments[replacement] ?? .negatives, arguments[metric])
    let total = try HeadAblation.promptCount(loaded.prompts, metric: metric)
    let values = try work.values(
      of: Self.self, arguments, "prompts", total: total, facts: loaded.facts(), console: console
    ) { part in
      AblationValues(
        try HeadAblation(
          of: loaded.prompts, part: part, model: loaded.model, replacement: replacement, metric: metric
        ) { done, total in console.progress("replacing heads", done, of: total, "runs") })
    }
    guard let values else { return }
    console.endProgress()
    let ablation = try HeadAblation(
      of: loaded.prompts, model: loaded.model, replacement: replacement, metric: metric,
      baseline: values.baseline, margins: values.margins)

    let identity = try loaded.identity.value
    let seed = loaded.prompts.seed
    let truth = ablation.truth(
      named: arguments[truthName] ?? "ablation", model: identity.name, threshold: threshold, seed: seed,
      madeBy: [
        JSONMember("tool", .string("headlamp \(headlampVersion) ablate")),
        JSONMember("model_sha256", .string(identity.weightsSHA256)),
        JSONMember("seed", Int(exactly: seed).map { .integer($0) } ?? .string("\(seed)")),
        JSONMember("bos", .string(loaded.prompts.beginningToken == nil ? "off" : "on")),
      ])
    if let path = arguments[output] { try writeEffects(truth, to: path) }
    if arguments[json] {
      console.print(truth.jsonText)
    } else {
      report(truth, ablation, console)
    }
    if arguments[truthName] != nil, var task = loaded.task {
      guard !truth.heads.isEmpty else { throw ScoreError.noTrueHeads(truth: truth.name) }
      try task.write(truth)
      console.note("\(truth.heads.count) heads stored as \(task.name):\(truth.name) in \(task.path)")
    }
  }

  private static func writeEffects(_ truth: GroundTruth, to path: String) throws {
    var table = CSVDocument(header: ["layer", "head", "effect", "low", "high", "in_truth"])
    let chosen = Set(truth.heads)
    for effect in truth.measurement?.effects ?? [] {
      table.append([
        .integer(effect.head.layer), .integer(effect.head.head), .number(effect.effect), .number(effect.low),
        .number(effect.high), .boolean(chosen.contains(effect.head)),
      ])
    }
    try table.write(to: path)
  }

  private static func report(_ truth: GroundTruth, _ ablation: HeadAblation, _ console: Console) {
    console.print(
      "\(ablation.baseline.count) prompts, \(percent(ablation.accuracy)) right, mean \(ablation.metric.rawValue) "
        + "\(ablation.baselineMargin.text(significant: 4)); \(truth.heads.count) of "
        + "\(truth.layers * truth.headsPerLayer) heads count")
    console.print("head    effect  95 % interval")
    let chosen = Set(truth.heads)
    let effects = (truth.measurement?.effects ?? []).sorted { abs($0.effect) > abs($1.effect) }
    for effect in effects where chosen.contains(effect.head) || effects.count <= 40 {
      let label = "\(effect.head.layer).\(effect.head.head)".padded(to: 6)
      let size = effect.effect.text(decimals: 3).leftPadded(to: 8)
      let mark = chosen.contains(effect.head) ? "  *" : ""
      console.print(
        "\(label)\(size)  [\(effect.low.text(decimals: 3)), \(effect.high.text(decimals: 3))]\(mark)")
    }
  }

  private static func percent(_ share: Double) -> String { (share * 100).text(decimals: 1) + " %" }
}

extension HeadReplacement: ArgumentValue {}
extension AnswerMetric: ArgumentValue {}
