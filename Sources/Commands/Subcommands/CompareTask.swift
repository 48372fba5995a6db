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
    "suite", "siblings", help: "compare on a suite of models, with all its tasks")
  static let models = Option<String>(
    "models", "DIR", default: "suites/siblings", help: "where 'suite' wrote the models")
  static let half = Option<SuiteHalf>(
    "half", "NAME", default: .reporting, help: "a suite: fitting, reporting or both")
  static let output = Option<String>(
    "output", "DIR", default: "results/compare",
    help:
      "a task or suite: where tables and every model and task's own result are written; one there already, made with the same settings, is kept"
  )
  static let options: [any OptionDeclaration] = [methods, judging, steps, suite, models, half, output]

  static func run(_ arguments: ParsedArguments, console: Console) throws {
    try requireSensible(arguments)
    let folder = try arguments.required(output)
    try makeFolder(folder + "/cells")
    let rankings = try chosenRankings(arguments)
    var comparisons: [TaskComparison] = []
    var problems: [String] = []
    for (model, task) in try cells(arguments) {
      let name = URL(fileURLWithPath: model).lastPathComponent
      do {
        let comparison = try compare(
          rankings, model: model, task: task, path: "\(folder)/cells/\(name)-\(resultName(task)).json",
          arguments,
          console: console)
        if comparison.rows.isEmpty {
          problems.append(
            "\(name), \(comparison.task): right on \((100 * comparison.accuracy).text(decimals: 0)) % of prompts, so it "
              + "does not do the task and is left out")
        }
        comparisons.append(comparison)
      } catch let error as any ExplainedError where arguments[suite] != nil {
        problems.append("\(name), \(task): \(error.sentence)")
      }
    }
    console.endProgress()
    let summaries = summarise(comparisons)
    try cellTable(comparisons).write(to: folder + "/comparison.csv")
    let text = markdown(summaries, problems, comparisons)
    try writeFile(text, to: folder + "/comparison.md")
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
    try writeFile(encoder.encode(summaries), to: folder + "/comparison.json")
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
    guard arguments[TrainCommand.topK] == nil || !arguments.isGiven(TrainCommand.lambda) else {
      throw UsageError.invalid("--lambda and --top-k are two ways to keep codes few; give one")
    }
    for option in [PromptOptions.examples, judging, steps] {
      if let count = arguments[option], count < 1 {
        throw UsageError.invalid("--\(option.name) must be at least 1, not \(count)")
      }
    }
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
    guard name == "siblings" else {
      throw UsageError.invalid("there is no suite '\(name)'; there is siblings")
    }
    let folder = try arguments.required(models)
    let chosen = Sibling.models(of: try arguments.required(half))
    for sibling in chosen where !fileExists(at: "\(folder)/\(sibling.name)/training.json") {
      throw UsageError.invalid(
        "\(folder)/\(sibling.name) is not there; 'headlamp suite siblings --output \(folder)' trains it")
    }
    let tasks = arguments.positionals.isEmpty ? Sibling.tasks : arguments.positionals
    return chosen.flatMap { sibling in tasks.map { ("\(folder)/\(sibling.name)", $0) } }
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

  private static func compare(
    _ rankings: [ComparedRanking], model: String, task: String, path: String, _ arguments: ParsedArguments,
    console: Console
  ) throws -> TaskComparison {
    let spec = try TaskLibrary.bundled().task(task)
    let limits = try PromptLimits(modelFolder: model)
    let seed = arguments[PromptOptions.seed] ?? 0
    let prompts = try spec.promptSet(
      examples: arguments[PromptOptions.examples] ?? 250, seed: seed, limits: limits)
    let judges = try spec.promptSet(
      examples: try arguments.required(judging), seed: seed &+ 1000, limits: limits)
    var material = RankingMaterial(
      model: try Transformer(folder: model), prompts: prompts,
      scratch: FileManager.default.temporaryDirectory.path)
    material.seed = seed
    material.steps = try arguments.required(steps)
    if arguments.isGiven(TrainCommand.features) {
      material.dictionary.features = try arguments.required(TrainCommand.features)
    }
    if arguments.isGiven(TrainCommand.lambda) {
      material.dictionary.sparsity = try arguments.required(TrainCommand.lambda)
      material.dictionary.activeFeatures = nil
    } else if let count = arguments[TrainCommand.topK] {
      material.dictionary.activeFeatures = count
    }
    try material.dictionary.validate()
    let settings =
      "model \(try ModelIdentity(folder: model).weightsSHA256), prompts \(digest(prompts)), judging "
      + "\(digest(judges)), seed \(seed), steps \(material.steps), points \(material.points), "
      + "\(material.dictionary)"
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

  /// What tells two sets of prompts apart.
  private static func digest(_ set: PromptSet) -> String {
    sha256(of: set.prompts.map { "\($0.tokens) \($0.answers) \($0.wrong)" }.joined(separator: "\n"))
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
      "model", "task", "accuracy", "ranking", "question", "trapezoid_auc", "average_precision",
      "effect_correlation", "seconds", "problem",
    ])
    for comparison in comparisons {
      for row in comparison.rows {
        document.append([
          .text(comparison.model), .text(comparison.task), .number(comparison.accuracy), .text(row.ranking),
          .text(row.question.rawValue), row.verdict.map { .number($0.trapezoidAUC) } ?? .empty,
          row.verdict.map { .number($0.averagePrecision) } ?? .empty,
          row.verdict?.rankCorrelation.map { .number($0) } ?? .empty, .number(row.seconds),
          row.problem.map { .text($0) } ?? .empty,
        ])
      }
    }
    return document
  }

  private static func markdown(
    _ summaries: [ComparisonSummary], _ problems: [String], _ comparisons: [TaskComparison]
  ) -> String {
    var lines = [
      "| ranking | question | cells | AUC [95 %] (worst) | ρ (worst) | ours ahead in ρ [95 %] | s |",
      "|---|---|---|---|---|---|---|",
    ]
    for row in summaries {
      let ahead = row.correlationBehindOurs.map {
        $0.text(decimals: 3) + bounds(row.correlationBehindOursInterval)
      }
      lines.append(
        "| \(row.ranking) | \(row.question.rawValue) | \(row.cells) | \(row.meanAUC.text(decimals: 3))"
          + "\(bounds(row.meanAUCInterval)) (\(row.worstAUC.text(decimals: 2)), \(row.worstCell)) | "
          + "\(row.meanCorrelation.text(decimals: 2)) (\(row.worstCorrelation.text(decimals: 2))) | \(ahead ?? "") | "
          + "\(row.seconds.text(decimals: 2)) |")
    }
    lines.append("")
    lines.append(
      "Each ranking is judged by what replacing heads does on prompts drawn with another seed: `pair`, by the value in the prompt's own "
        + "negative; `mean`, by the mean over negatives. AUC: heads whose effect is at least 5 % of the metric, with an "
        + "interval that leaves out zero, against the rest. ρ: Spearman's, with the sizes of all effects. Intervals, where there are several cells, are "
        + "bootstrap intervals over cells, a model and a task each.")
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
