// headlamp evaluate: rankings of heads against a ground truth.

import CircuitDiscovery
import Files

/// Scores one or several heads.csv against a named ground truth.
enum EvaluateCommand: Subcommand {
  static let name = "evaluate"
  static let summary = "score a ranking of heads against a named ground truth"
  static let discussion = """
    Reads the column 'score' of every head from heads.csv and compares it with a ground truth, over all heads of the \
    model. Each measure has its own name, because papers mean different things by one word:
      trapezoid_auc      area under the ROC curve; a tie counts half
      pessimistic_auc    area under the stairs below the ROC points, as ACDC reports it; a tie counts as a miss
      average_precision  sum of (R_i - R_i-1) P_i over the distinct scores
      precision_at_k, recall_at_k, f1_at_k   of the k highest heads; expected values where a tie straddles the cut
      authors_f1_at_k    2 TPR (1 - FPR) / (TPR + 1 - FPR), which O'Neill & Bui's code calls F1
      best_authors_f1    its largest value over all thresholds
    Several files (from several seeds, or several samples of prompts) give mean, standard deviation and a 95 % \
    bootstrap interval of the mean. One file gives no interval: a model's heads are all there are, not a sample.
    """
  static let positionals = [Positional("HEADS.CSV", .repeated, help: "what 'rank' or 'discover' wrote")]
  static let truth = Option<String>(
    "truth", "TASK:NAME", help: "the ground truth; 'headlamp tasks' lists them")
  static let k = Option<Int>(
    "k", "N", help: "heads taken for the measures at k (default: as many as are true)")
  static let seed = Option<UInt64>("seed", "N", default: 0, help: "seed of the bootstrap")
  static let json = Flag("json", help: "print one JSON object")
  static let options: [any OptionDeclaration] = [truth, k, seed, json]
  static let examples = [
    Example(
      "headlamp evaluate results/ioi/heads.csv --truth ioi:ablation",
      "how well the ranking finds the true heads"),
    Example(
      "headlamp evaluate seed-*/heads.csv --truth ioi:ablation --json", "mean and spread over several seeds"),
  ]

  static func run(_ arguments: ParsedArguments, console: Console) throws {
    guard !arguments.positionals.isEmpty else {
      throw UsageError.missingPositional(name: "HEADS.CSV", command: name)
    }
    let groundTruth = try namedTruth(arguments.required(truth))
    let tables = try arguments.positionals.map { try HeadTable(path: $0) }
    let seed = arguments[seed] ?? 0
    let evaluation = try Evaluation(tables, truth: groundTruth, k: arguments[k], seed: seed)
    if arguments[json] {
      console.print(jsonValue(evaluation, files: arguments.positionals, seed: seed).line)
      return
    }
    let rankings = tables.count == 1 ? "one ranking" : "\(tables.count) rankings"
    console.print(
      "\(rankings) against \(evaluation.truth): \(evaluation.trueHeads) of \(evaluation.heads) heads are true, "
        + "k = \(evaluation.k)")
    let width = evaluation.measures.map(\.name.count).max() ?? 0
    for measure in evaluation.measures {
      console.print("  \(measure.name.padded(to: width))  \(line(measure))")
    }
  }

  private static func line(_ measure: Evaluation.Measure) -> String {
    let mean = measure.mean.text(decimals: 3)
    guard let deviation = measure.deviation, let interval = measure.interval else { return mean }
    return "\(mean) ± \(deviation.text(decimals: 3))  [\(interval.lowerBound.text(decimals: 3)), "
      + "\(interval.upperBound.text(decimals: 3))]"
  }

  private static func jsonValue(_ evaluation: Evaluation, files: [String], seed: UInt64) -> JSONValue {
    let measures = evaluation.measures.map { measure in
      var members = [JSONMember("mean", .number(measure.mean))]
      if let deviation = measure.deviation, let interval = measure.interval {
        members.append(JSONMember("standard_deviation", .number(deviation)))
        members.append(
          JSONMember("interval_95", .array([.number(interval.lowerBound), .number(interval.upperBound)])))
        members.append(JSONMember("values", .array(measure.values.map { .number($0) })))
      }
      return JSONMember(measure.name, .object(members))
    }
    return .object([
      JSONMember("truth", .string(evaluation.truth)), JSONMember("files", .array(files.map { .string($0) })),
      JSONMember("heads", .integer(evaluation.heads)),
      JSONMember("true_heads", .integer(evaluation.trueHeads)),
      JSONMember("k", .integer(evaluation.k)),
      JSONMember("seed", Int(exactly: seed).map { .integer($0) } ?? .string("\(seed)")),
      JSONMember("measures", .object(measures)),
    ])
  }
}

/// The ground truth written as `TASK:NAME`, where TASK is a bundled name or a path.
func namedTruth(_ text: String) throws -> GroundTruth {
  guard let colon = text.lastIndex(of: ":") else {
    throw UsageError.invalid("a ground truth is written TASK:NAME, as in ioi:wang, not '\(text)'")
  }
  let task = try TaskLibrary.bundled().task(String(text[..<colon]))
  return try task.truth(named: String(text[text.index(after: colon)...]))
}
