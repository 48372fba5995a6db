// headlamp compare TASK and compare --suite: all ways to rank heads on the same prompts, beside measured effects.

import CircuitDiscovery
import Files
import FoundationEssentials
import Reports
import SparseAutoencoders
import Transformers

/// Compares rankings on a task, or on a suite of models and tasks.
enum CompareTask {
  static let methods = Option<String>(
    "methods", "quick|all|NAMES", default: "quick",
    help:
      "a task or suite: which rankings, by name with commas between; quick leaves out edge patching, ACDC and masks"
  )
  static let judging = Option<Int>(
    "judging-examples", "N", default: 400,
    help: "a task or suite: positive prompts, drawn with another seed, that effects are measured on")
  static let steps = Option<Int>(
    "steps", "N", default: 5, help: "a task or suite: steps of integrated gradients")
  static let suite = Option<String>(
    "suite", "siblings|planted|all", help: "compare on a suite of models, with all its tasks")
  static let models = Option<String>(
    "models", "DIR", help: "a suite: where 'suite' wrote its models (default: suites/NAME)")
  static let half = Option<SuiteHalf>(
    "half", "NAME", default: .reporting, help: "suite siblings: fitting, reporting or both")
  static let output = Option<String>(
    "output", "DIR", default: "results/compare",
    help:
      "a task or suite: where tables and every model and task's own result are written; one there already, made with the same settings, is kept"
  )
  static let dictionaries = Option<Int>(
    "dictionaries", "N", default: 3, help: "a task or suite: dictionaries of 'codes', with seeds counted up")
  static let options: [any OptionDeclaration] = [
    methods, judging, steps, dictionaries, DictionaryOptions.batchTopK, suite, models, half, output,
    ReportCommand.none, ReportCommand.figures,
  ]

  static func run(_ arguments: ParsedArguments, _ work: Work, console: Console) throws {
    try requireSensible(arguments)
    let folder = try arguments.required(output)
    let rankings = try chosenRankings(arguments)
    let cells = try cells(arguments)
    if !work.isPart || arguments.isGiven(output) {
      try claimFolder(folder)
      try claimFolder(folder + "/cells")
    }
    let values = try work.values(
      of: CompareCommand.self, arguments, "rankings", total: cells.count * rankings.count,
      facts: facts(cells, arguments), console: console
    ) { part in
      var results: [ComparedCells.Result] = []
      for (place, cell) in cells.enumerated() {
        let first = place * rankings.count
        let own = part.clamped(to: first..<first + rankings.count)
        guard !own.isEmpty else { continue }
        let (model, task) = cell
        let name = URL(fileURLWithPath: model).lastPathComponent
        do {
          let comparison = try compare(
            Array(rankings[own.lowerBound - first..<own.upperBound - first]), model: model, task: task,
            path: "\(folder)/cells/\(name)-\(resultName(task)).json", arguments, console: console)
          results.append(ComparedCells.Result(cell: place, comparison: comparison))
        } catch let error as any ExplainedError where arguments[suite] != nil {
          results.append(
            ComparedCells.Result(cell: place, problem: "\(name), \(task): \(error.sentence)"))
        }
      }
      return ComparedCells(results: results)
    }
    guard let results = values?.results else { return }
    let comparisons = results.compactMap(\.comparison)
    let problems = results.compactMap { result -> String? in
      guard let comparison = result.comparison, comparison.rows.isEmpty else { return result.problem }
      return "\(comparison.model), \(comparison.task): right on "
        + "\((100 * comparison.accuracy).text(decimals: 0)) % of prompts, so it does not do the task and is left out"
    }
    console.endProgress()
    let summaries = summarise(comparisons)
    try cellTable(comparisons).write(to: folder + "/comparison.csv")
    let text = markdown(summaries, problems, comparisons)
    try writeFile(text, to: folder + "/comparison.md")
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
    try writeFile(encoder.encode(summaries), to: folder + "/comparison.json")
    try ReportCommand.write(arguments, folder: folder, console: console)
    if arguments[CompareCommand.json] {
      console.print(String(decoding: try encoder.encode(summaries), as: UTF8.self))
    } else {
      console.print(text.hasSuffix("\n") ? String(text.dropLast()) : text)
    }
    console.note("wrote \(folder)")
  }

  /// Refuses options that belong to recordings, and numbers that make no sense.
  private static func requireSensible(_ arguments: ParsedArguments) throws {
    for option in [
      CompareCommand.truth, CompareCommand.seeds, TrainCommand.epochs, TrainCommand.learningRate,
    ]
      as [any OptionDeclaration]
    where arguments.isGiven(option) {
      throw UsageError.invalid("--\(option.name) goes with a recording (.h5), not with a task")
    }
    if arguments[suite] == nil {
      for option in [models, half] as [any OptionDeclaration] where arguments.isGiven(option) {
        throw UsageError.invalid("--\(option.name) says nothing without --suite")
      }
    } else if arguments.isGiven(PromptOptions.model) {
      throw UsageError.invalid("--suite has models of its own; leave out --model, or --suite")
    }
    _ = try sparsity(arguments, features: 1)
    for option in [PromptOptions.examples, judging, steps, dictionaries] {
      if let count = arguments[option], count < 1 {
        throw UsageError.invalid("--\(option.name) must be at least 1, not \(count)")
      }
    }
  }

  private static func sparsity(_ arguments: ParsedArguments, features: Int) throws -> DictionarySparsity {
    try DictionaryOptions.sparsity(
      arguments,
      lambda: arguments.isGiven(TrainCommand.lambda) ? try arguments.required(TrainCommand.lambda) : nil,
      features: features)
  }

  /// The models and tasks to compare on.
  private static func cells(_ arguments: ParsedArguments) throws -> [(model: String, task: String)] {
    guard let name = arguments[suite] else {
      guard !arguments.positionals.isEmpty else {
        throw UsageError.missingPositional(name: "RECORDING|TASK", command: CompareCommand.name)
      }
      let model =
        try arguments[PromptOptions.model] ?? PromptOptions.bundledModel(in: TaskLibrary.bundled())
      return arguments.positionals.map { (model, $0) }
    }
    let suites = name == "all" ? JudgingSuite.allCases : [try JudgingSuite(named: name)]
    guard suites.count == 1 || !arguments.isGiven(models) else {
      throw UsageError.invalid("--models says where one suite is; leave it out with --suite all")
    }
    return try suites.flatMap { try cells(of: $0, in: arguments[models] ?? $0.folder, arguments) }
  }

  private static func cells(
    of suite: JudgingSuite, in folder: String, _ arguments: ParsedArguments
  ) throws -> [(model: String, task: String)] {
    let (models, mark) =
      switch suite {
      case .siblings: (Sibling.models(of: try arguments.required(half)).map(\.name), "training.json")
      case .planted: (PlantedRecipe.all.map(\.name), "task.json")
      }
    for model in models where !fileExists(at: "\(folder)/\(model)/\(mark)") {
      throw UsageError.invalid(
        "\(folder)/\(model) is not there; 'headlamp suite \(suite.rawValue) --output \(folder)' makes it")
    }
    switch suite {
    case .siblings:
      let tasks = arguments.positionals.isEmpty ? Sibling.tasks : arguments.positionals
      return models.flatMap { model in tasks.map { ("\(folder)/\(model)", $0) } }
    case .planted: return models.map { ("\(folder)/\($0)", "\(folder)/\($0)/task.json") }
    }
  }

  private static func chosenRankings(_ arguments: ParsedArguments) throws -> [ComparedRanking] {
    let names = arguments[methods] ?? "quick"
    switch names {
    case "quick": return ComparedRanking.quick
    case "all": return ComparedRanking.all
    default:
      return try names.split(separator: ",").map { name in
        guard let found = ComparedRanking.all.first(where: { $0.name == name }) else {
          throw UsageError.invalid(
            "there is no ranking '\(name)'; there are "
              + ComparedRanking.all.map(\.name).joined(separator: ", "))
        }
        return found
      }
    }
  }

  /// The prompts of a model on a task: those that are ranked on, and those that effects are measured on.
  private static func prompts(
    _ model: String, _ task: String, _ arguments: ParsedArguments
  ) throws -> (spec: TaskSpec, ranked: PromptSet, judging: PromptSet) {
    let spec = try TaskLibrary.bundled().task(task)
    let limits = try PromptLimits(modelFolder: model)
    let seed = arguments[PromptOptions.seed] ?? 0
    let ranked = try spec.promptSet(
      examples: arguments[PromptOptions.examples] ?? 250, seed: seed, limits: limits)
    let judges = try spec.promptSet(
      examples: try arguments.required(judging), seed: seed &+ 1000, limits: limits
    ).leavingOut(ranked)
    return (spec, ranked, judges)
  }

  /// What decides comparisons beside the options.
  private static func facts(
    _ cells: [(model: String, task: String)], _ arguments: ParsedArguments
  ) throws -> [ShardManifest.Fact] {
    let (models, inputs) = (SHA256Digest(), SHA256Digest())
    for model in Set(cells.map(\.model)).sorted() {
      models.update(try ModelIdentity(folder: model).weightsSHA256)
    }
    for cell in cells {
      do {
        let prompts = try prompts(cell.model, cell.task, arguments)
        inputs.update(prompts.ranked.digest + prompts.judging.digest)
      } catch let error as any ExplainedError where arguments[suite] != nil {
        inputs.update(error.sentence)
      }
    }
    return [
      ShardManifest.Fact("tool", "headlamp \(headlampVersion)"),
      ShardManifest.Fact("task", cells.map { resultName($0.task) }.joined(separator: ", ")),
      ShardManifest.Fact("model_sha256", models.hexadecimal()),
      ShardManifest.Fact("seed", "\(arguments[PromptOptions.seed] ?? 0)"),
      ShardManifest.Fact("inputs_sha256", inputs.hexadecimal()),
    ]
  }

  private static func compare(
    _ rankings: [ComparedRanking], model: String, task: String, path: String, _ arguments: ParsedArguments,
    console: Console
  ) throws -> TaskComparison {
    let seed = arguments[PromptOptions.seed] ?? 0
    let (spec, prompts, judges) = try prompts(model, task, arguments)
    var material = RankingMaterial(
      model: try Transformer(folder: model), prompts: prompts,
      scratch: FileManager.default.temporaryDirectory.path)
    material.seed = seed
    material.steps = try arguments.required(steps)
    material.dictionaries = try arguments.required(dictionaries)
    if arguments.isGiven(TrainCommand.features) {
      material.dictionary.features = try arguments.required(TrainCommand.features)
    }
    material.dictionary.sparsity = try sparsity(arguments, features: material.dictionary.features)
    try material.dictionary.validate()
    let settings =
      "model \(try ModelIdentity(folder: model).weightsSHA256), prompts \(prompts.digest), judging "
      + "\(judges.digest), seed \(seed), steps \(material.steps), points \(material.points), "
      + "\(material.dictionaries) × \(material.dictionary)"
    if let stored = storedComparison(at: path), stored.settings == settings {
      let known = Set(stored.rows.map(\.ranking))
      if stored.rows.isEmpty || rankings.allSatisfy({ known.contains($0.name) }) { return stored }
    }
    let name = URL(fileURLWithPath: model).lastPathComponent
    let comparison = try TaskComparison(
      rankings, material, judging: judges, model: name, settings: settings,
      explain: { ($0 as? any ExplainedError)?.sentence ?? "\($0)" }
    ) {
      console.progress("\(name), \(spec.name): \($0)")
    }
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys]
    try writeFile(encoder.encode(comparison), to: path)
    return comparison
  }

  /// A comparison that was made before; nil where there is none that can be read.
  private static func storedComparison(at path: String) -> TaskComparison? {
    guard fileExists(at: path), let text = try? readText(at: path) else { return nil }
    return try? JSONDecoder().decode(TaskComparison.self, from: Data(text.utf8))
  }

  private static func resultName(_ task: String) -> String {
    URL(fileURLWithPath: task).deletingPathExtension().lastPathComponent
  }

  private static func cellTable(_ comparisons: [TaskComparison]) -> CSVDocument {
    var document = CSVDocument(header: [
      "model", "task", "accuracy", "ranking", "question", "trapezoid_auc", "trapezoid_auc_low",
      "trapezoid_auc_high", "average_precision", "effect_correlation", "effect_correlation_low",
      "effect_correlation_high", "head_cpr", "head_cmd", "seconds", "peak_memory_mib", "judging_prompts",
      "shared_prompts", "problem",
    ])
    for comparison in comparisons {
      for row in comparison.rows {
        func cell(_ value: Double?) -> CSVCell { value.map { .number($0) } ?? .empty }
        let verdict = row.verdict
        document.append([
          .text(comparison.model), .text(comparison.task), .number(comparison.accuracy), .text(row.ranking),
          .text(row.question.rawValue), cell(verdict?.trapezoidAUC),
          cell(verdict?.trapezoidAUCInterval?.first),
          cell(verdict?.trapezoidAUCInterval?.last), cell(verdict?.averagePrecision),
          cell(verdict?.rankCorrelation), cell(verdict?.rankCorrelationInterval?.first),
          cell(verdict?.rankCorrelationInterval?.last), cell(row.headCPR), cell(row.headCMD),
          .number(row.seconds), cell(row.peakMemory), .integer(comparison.judgingPrompts),
          .integer(comparison.sharedPrompts), row.problem.map { .text($0) } ?? .empty,
        ])
      }
    }
    return document
  }

  private static func markdown(
    _ summaries: [ComparisonSummary], _ problems: [String], _ comparisons: [TaskComparison]
  ) -> String {
    var lines = [
      "| ranking | question | cells | AUC [95 %] (worst) | ρ (worst) | ours ahead in ρ [95 %] | CPR | CMD | s | MiB |",
      "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for row in summaries {
      let ahead = row.correlationBehindOurs.map {
        $0.text(decimals: 3) + bounds(row.correlationBehindOursInterval)
      }
      lines.append(
        "| \(row.ranking) | \(row.question.rawValue) | \(row.cells) | \(row.meanAUC.text(decimals: 3))"
          + "\(bounds(row.meanAUCInterval)) (\(row.worstAUC.text(decimals: 2)), \(row.worstCell)) | "
          + "\(row.meanCorrelation.text(decimals: 2)) (\(row.worstCorrelation.text(decimals: 2))) | \(ahead ?? "") | "
          + "\(row.meanHeadCPR?.text(decimals: 2) ?? "") | \(row.meanHeadCMD?.text(decimals: 2) ?? "") | "
          + "\(row.seconds.text(decimals: 2)) | \(row.peakMemory?.text(decimals: 0) ?? "") |")
    }
    lines.append("")
    lines.append(
      "Each ranking is judged by what replacing heads does on prompts drawn with another seed: `pair`, by the value in the prompt's own "
        + "negative; `mean`, by the mean over negatives. AUC: heads whose effect is at least 5 % of the metric, with an "
        + "interval that leaves out zero, against the rest. ρ: Spearman's, with the sizes of all effects. CPR and CMD: the areas under f and under |1 − f| over "
        + "the share of best heads kept, all others replaced and MLPs left alone. MiB: the most that was resident meanwhile, "
        + "the model's share included. Intervals, where there are several cells, are "
        + "bootstrap intervals over cells, a model and a task each.")
    let shared = comparisons.reduce(0) { $0 + $1.sharedPrompts }
    lines.append(
      shared == 0
        ? "No prompt that effects were measured on was ranked on."
        : "\(shared) of the prompts that effects were measured on were ranked on too: their tasks have too few."
    )
    lines += problems.map { "* " + $0 }
    for comparison in comparisons {
      for row in comparison.rows {
        guard let problem = row.problem else { continue }
        lines.append(
          "* \(comparison.model), \(comparison.task): \(row.ranking), \(row.question.rawValue), did not run: \(problem)"
        )
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func bounds(_ interval: [Double]?) -> String {
    guard let interval, interval.count == 2 else { return "" }
    return " [\(interval[0].text(decimals: 3)), \(interval[1].text(decimals: 3))]"
  }
}
