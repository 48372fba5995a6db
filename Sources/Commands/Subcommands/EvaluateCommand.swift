// headlamp evaluate: rankings of heads, or of edges, against a ground truth.

import CausalMethods
import CircuitDiscovery
import Files
import Probes
import Recordings
import SparseAutoencoders

/// Scores one or several heads.csv against a named ground truth.
enum EvaluateCommand: Subcommand {
  static let name = "evaluate"
  static let summary = "score a ranking of heads or edges against a ground truth"
  static let discussion = """
    Reads the column 'score' of every head from heads.csv and compares it with a ground truth, over all heads of the \
    model. nodes.csv of 'attribute' is scored by the size of its heads' scores; edges.csv, and circuit files, by the \
    size of the edges' scores, against the edges of a circuit file. Each measure has its own name, because papers mean different things by one word:
      trapezoid_auc      area under the ROC curve; a tie counts half
      pessimistic_auc    area under the stairs below the ROC points, as ACDC reports it; a tie counts as a miss
      average_precision  sum of (R_i - R_i-1) P_i over the distinct scores
      precision_at_k, recall_at_k, f1_at_k   of the k highest heads; expected values where a tie straddles the cut
      authors_f1_at_k    2 TPR (1 - FPR) / (TPR + 1 - FPR), which O'Neill & Bui's code calls F1
      best_authors_f1    its largest value over all thresholds
    Several files, from several seeds, give mean, standard deviation and a 95 % bootstrap interval of the mean. With \
    the recording and the autoencoder that one file was ranked from, its prompts are drawn again with replacement, \
    pair by pair, and the intervals are over them; the autoencoder stays the same. One file alone gives no interval: a \
    model's heads are all there are, not a sample. Prompts of the recording that are unlike those the autoencoder was \
    trained on are then named.
    """
  static let positionals = [
    Positional(
      "HEADS.CSV", .repeated,
      help: "what 'rank' or 'discover' wrote; or nodes.csv, edges.csv or circuit.json of 'attribute'")
  ]
  static let truth = Option<String>(
    "truth", "TASK:NAME",
    help: "the ground truth, as 'headlamp tasks' lists them; for edges a circuit file (.json or .pt)")
  static let k = Option<Int>(
    "k", "N", help: "heads taken for the measures at k (default: as many as are true)")
  static let seed = Option<UInt64>("seed", "N", default: 0, help: "seed of the bootstrap")
  static let recording = Option<String>(
    "recording", "FILE", help: "what the heads were ranked from, for intervals over its prompts")
  static let autoencoder = Option<String>(
    "autoencoder", "FILE", help: "what the heads were ranked by, for intervals over the recording's prompts")
  static let normality = Option<String>(
    "normality", "FILE",
    help:
      "what is normal of the prompts that the autoencoder was trained on (default: normality.safetensors beside it, where "
      + "'discover' wrote it), for naming prompts that are not")
  static let resamples = Option<Int>("resamples", "N", default: 1000, help: "draws of the prompts")
  static let json = Flag("json", help: "print one JSON object")
  static let options: [any OptionDeclaration] =
    [
      truth, k, recording, autoencoder, normality, resamples, RankingOptions.protocolName,
      RankingOptions.score, seed,
      json,
    ]
  static let examples = [
    Example(
      "headlamp evaluate results/ioi/heads.csv --truth ioi:ablation",
      "how well the ranking finds the true heads"),
    Example(
      "headlamp evaluate seed-*/heads.csv --truth ioi:ablation --json", "mean and spread over several seeds"),
    Example(
      "headlamp evaluate results/ioi/heads.csv --truth ioi:ablation --recording results/ioi/recording.h5 "
        + "--autoencoder results/ioi/autoencoder.safetensors", "the same with intervals over prompts"),
  ]

  static func run(_ arguments: ParsedArguments, console: Console) throws {
    guard !arguments.positionals.isEmpty else {
      throw UsageError.missingPositional(name: "HEADS.CSV", command: name)
    }
    let seed = arguments[seed] ?? 0
    let truthName = try arguments.required(truth)
    if truthName.hasSuffix(".json") || truthName.hasSuffix(".pt") {
      for option in [recording, autoencoder, normality] where arguments.isGiven(option) {
        throw UsageError.invalid("--\(option.name) goes with a ranking of heads, not with edges")
      }
      let circuit = try ScoredCircuit(path: truthName).circuit
      let evaluation = try Evaluation(
        edgeTables(arguments.positionals), truth: circuit, name: truthName, k: arguments[k], seed: seed)
      report(evaluation, of: "edges", arguments, seed: seed, console)
      return
    }
    let groundTruth = try namedTruth(truthName)
    for path in arguments.positionals where try scoresEdges(path) {
      throw UsageError.invalid(
        "\(path) scores edges, and \(truthName) is a truth about heads; edges are scored against a circuit file (.json or "
          + ".pt)")
    }
    let tables = try arguments.positionals.map { try HeadTable(path: $0) }
    let evaluation =
      if let draws = try draws(arguments, tables) {
        try Evaluation(tables[0], draws: draws, truth: groundTruth, k: arguments[k])
      } else {
        try Evaluation(tables, truth: groundTruth, k: arguments[k], seed: seed)
      }
    report(
      evaluation, of: "heads", arguments, odd: try oddPrompts(arguments, console), seed: seed, console)
  }

  /// Prompts of the recording that are unlike those the autoencoder was trained on; nil where that is not known.
  private static func oddPrompts(_ arguments: ParsedArguments, _ console: Console) throws -> OddPromptNotice?
  {
    guard let path = arguments[recording], let autoencoder = arguments[autoencoder] else { return nil }
    if let given = arguments[normality] {
      let recording = try Recording(path: path)
      return OddPromptNotice(try Normality(path: given).oddPrompts(of: recording), of: recording)
    }
    let folder = autoencoder.lastIndex(of: "/").map { String(autoencoder[...$0]) } ?? ""
    let beside = folder + "normality.safetensors"
    guard fileExists(at: beside) else { return nil }
    do {
      let recording = try Recording(path: path)
      return OddPromptNotice(try Normality(path: beside).oddPrompts(of: recording), of: recording)
    } catch let error as ProbeError {
      console.note("prompts are not held against \(beside): \(error.sentence)")
      return nil
    }
  }

  private static func edgeTables(_ paths: [String]) throws -> [EdgeTable] {
    try paths.map { path in
      isCircuitFile(path) ? EdgeTable(try ScoredCircuit(path: path), path: path) : try EdgeTable(path: path)
    }
  }

  private static func scoresEdges(_ path: String) throws -> Bool {
    if isCircuitFile(path) { return true }
    return EdgeTable.isHeader(try readText(at: path).prefix { !$0.isNewline })
  }

  private static func isCircuitFile(_ path: String) -> Bool {
    path.hasSuffix(".json") || path.hasSuffix(".pt")
  }

  private static func report(
    _ evaluation: Evaluation, of unit: String, _ arguments: ParsedArguments, odd: OddPromptNotice? = nil,
    seed: UInt64, _ console: Console
  ) {
    let files = arguments.positionals
    if arguments[json] {
      console.print(
        jsonValue(evaluation, of: unit, files: files, seed: seed).adding("odd_prompts", odd?.value).line)
      return
    }
    let rankings = files.count == 1 ? "one ranking" : "\(files.count) rankings"
    console.print(
      "\(rankings) against \(evaluation.truth): \(evaluation.trueItems) of \(evaluation.items) \(unit) are true, "
        + "k = \(evaluation.k)" + intervalText(evaluation))
    let width = evaluation.measures.map(\.name.count).max() ?? 0
    for measure in evaluation.measures {
      console.print("  \(measure.name.padded(to: width))  \(line(measure))")
    }
    if let line = odd?.line { console.print(line) }
  }

  /// The scores for draws of the prompts; nil where no recording was named.
  private static func draws(_ arguments: ParsedArguments, _ tables: [HeadTable]) throws -> [[Double]]? {
    guard let path = arguments[recording] else {
      for option in [autoencoder, normality, RankingOptions.protocolName, RankingOptions.score]
        as [any OptionDeclaration]
      where arguments.isGiven(option) {
        throw UsageError.invalid("--\(option.name) says nothing without --recording")
      }
      return nil
    }
    guard tables.count == 1 else {
      throw UsageError.invalid("--recording goes with one heads.csv, not \(tables.count)")
    }
    let count = try arguments.required(resamples)
    guard (2...1_000_000).contains(count) else {
      throw UsageError.invalid("--resamples is \(count); allowed is 2 to 1000000")
    }
    let trained = try TrainedAutoencoders(path: arguments.required(autoencoder))
    let scorer = try HeadScorer(
      Recording(path: path), trained: trained,
      protocol: RankingOptions.rankingProtocol(arguments, trained: trained))
    let scores = scorer.scores
    guard scores.count == tables[0].scores.count,
      zip(scores, tables[0].scores).allSatisfy({ abs($0 - $1) <= 1e-6 * max(1, abs($0)) })
    else { throw NotThisRanking(table: tables[0].path, recording: path) }
    guard scorer.canDrawPrompts else {
      throw UsageError.invalid("\(path) has no pairs, so its prompts cannot be drawn again for this score")
    }
    return scorer.scores(draws: count, seed: try arguments.required(seed))
  }

  private static func intervalText(_ evaluation: Evaluation) -> String {
    switch evaluation.resampled {
    case .rankings: "; mean ± standard deviation [95 % bootstrap interval over rankings]"
    case .prompts: "; value [95 % bootstrap interval over prompts]"
    case nil: ""
    }
  }

  private static func line(_ measure: Evaluation.Measure) -> String {
    let deviation = measure.deviation.map { " ± " + $0.text(decimals: 3) } ?? ""
    let interval = measure.interval.map {
      "  [\($0.lowerBound.text(decimals: 3)), \($0.upperBound.text(decimals: 3))]"
    }
    return measure.mean.text(decimals: 3) + deviation + (interval ?? "")
  }

  private static func jsonValue(
    _ evaluation: Evaluation, of unit: String, files: [String], seed: UInt64
  ) -> JSONValue {
    let measures = evaluation.measures.map { measure in
      var members = [JSONMember("mean", .number(measure.mean))]
      if let deviation = measure.deviation {
        members.append(JSONMember("standard_deviation", .number(deviation)))
      }
      if let interval = measure.interval {
        members.append(
          JSONMember("interval_95", .array([.number(interval.lowerBound), .number(interval.upperBound)])))
      }
      if measure.values.count > 1 {
        members.append(JSONMember("values", .array(measure.values.map { .number($0) })))
      }
      return JSONMember(measure.name, .object(members))
    }
    return .object([
      JSONMember("truth", .string(evaluation.truth)), JSONMember("files", .array(files.map { .string($0) })),
      JSONMember(unit, .integer(evaluation.items)),
      JSONMember("true_" + unit, .integer(evaluation.trueItems)),
      JSONMember("k", .integer(evaluation.k)),
      JSONMember("seed", Int(exactly: seed).map { .integer($0) } ?? .string("\(seed)")),
      JSONMember("intervals_over", evaluation.resampled.map { .string($0.rawValue) } ?? .null),
      JSONMember("measures", .object(measures)),
    ])
  }
}

/// A heads.csv that does not follow from the recording it is said to come from.
struct NotThisRanking: ExplainedError {
  var table: String
  var recording: String

  var sentence: String {
    "\(table) was not ranked from \(recording) by this autoencoder; name the protocol and score it was ranked by "
      + "with --protocol and --score"
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
