// headlamp explain: why a black box said what it said of a row.

import Files
import Tables
import TabularExplainer

/// Fits and probes a black box, and explains rows by rules, counterfactuals and contributions.
enum ExplainCommand: ShardableCommand {
  static let name = "explain"
  static let summary = "say why a black box predicted what it did, row by row"
  static let discussion = """
    Reads a table (CSV or TSV, gzip or not), fits a black box to three quarters of its rows or opens a given one, keeps
    the features that matter, fits an interpretable surrogate to the black box's out-of-bag or cross-fitted
    probabilities, and explains rows: the prediction, the rule that carries it with its coverage and precision on
    held-out rows, changes that would have made it another (each checked on the black box), and what each feature
    contributes. TABLE may be the word 'example': a small table of the project's own, whose rule is known.

    With --output it writes importance.csv, rules.csv, explanations.csv, counterfactuals.csv, surrogate.json and
    summary.json; effects.csv, individual-effects.csv, held-out-contributions.csv, interactions.csv, calibration.csv,
    confusion.csv and groups.csv, which figures are drawn of; and report.html, where a row can be changed by hand. Rows
    are counted from 1, the header not counted.

    With --all --shard I/N one of N parts of the rows is explained, and 'headlamp merge' writes the files of all. Each part
    fits the black box and the surrogates again, as merge does: parts save time where rows, not fits, take it.
    """
  static let positionals = [Positional("TABLE", help: "a CSV or TSV file, or 'example'")]
  static let row = Option<Int>("row", "N", help: "the row to explain; the first held-out one unless given")
  static let rows = Option<String>("rows", "3,7,9", help: "several rows to explain")
  static let everyRow = Flag("all", help: "explain every row")
  static let precision = Option<Double>(
    "precision", "SHARE", default: 0.95, help: "the precision a row's rule must reach on the training rows")
  static let refits = Option<Int>(
    "refits", "N",
    help: "how often all is fitted anew to redrawn rows; 10 for small tables, 0 for large ones unless given")
  static let qualityBy = Option<String>(
    "quality-by", "A,B",
    help: "columns to tell the black box's quality by in groups.csv; the kept features unless given")
  static let options: [any OptionDeclaration] =
    [row, rows, everyRow, refits, ShardOptions.shard, StageTimes.option] + ExplainingOptions.table
    + ExplainingOptions.model
    + ExplainingOptions.standIn
    + [precision, qualityBy] + ChangeLimitOptions.all + ExplainingOptions.common + ReportCommand.choices
  static let examples = [
    Example("headlamp explain example", "a prediction of the project's own table, explained"),
    Example(
      "headlamp explain spambase.csv --target class --row 12 --output why/",
      "row 12's prediction explained, and everything in files"),
  ]

  static func run(_ arguments: ParsedArguments, _ work: Work, console: Console) throws {
    if work.isPart, !arguments[everyRow] {
      throw UsageError.invalid("--shard goes with --all: its parts are those of all rows")
    }
    try ReportCommand.requireFolder(arguments, ExplainingOptions.output)
    var stages = StageTimes()
    console.progress("reading \(arguments.positionals[0])")
    let given = try SplitTable(arguments, keepingAside: arguments.list(ExplainingOptions.predictions))
    let chosen = try rows(arguments, given)
    var options = try ExplainerOptions(arguments, given.table.features)
    let precision = arguments[precision] ?? 0.95
    guard precision > 0, precision <= 1 else {
      throw UsageError.badValue(
        option: "precision", value: "\(precision)", expectation: "a share above 0, at most 1")
    }
    options.anchorPrecision = precision
    if let count = arguments[refits], count < 0 {
      throw UsageError.invalid("--refits wants a whole number from 0")
    }
    if arguments.isGiven(ExplainingOptions.predictions),
      let option = (ChangeLimitOptions.all).first(where: { arguments.isGiven($0) })
    {
      throw UsageError.invalid(
        "--\(option.name) has no effect with --predictions: no changed row can be tried")
    }
    let groups = try groupFeatures(arguments, given.table.features.names)
    stages.finish("table")
    let limits = try ChangeLimitOptions.limits(arguments, given.table.features)
    console.progress("fitting and probing the black box")
    let probed = try given.probed(arguments, console: console)
    if let folder = arguments[ExplainingOptions.output] { try claimFolder(folder) }
    stages.finish("black_box")
    console.progress("fitting surrogates")
    let explainer = try Explainer(given.table, split: given.split, probed, options: options)
    stages.finish("surrogate")
    let wanted = try ChangeLimitOptions.wanted(arguments, explainer.outcomes)
    console.progress("explaining", 0, of: chosen.count, "rows")
    let values = try work.values(
      of: Self.self, arguments, "rows", total: chosen.count, facts: TableFacts.facts(arguments, given),
      console: console
    ) { part in
      ExplainedRows(
        try explainer.explanations(rows: Array(chosen[part]), wanted: wanted, limits: limits) { done in
          console.progress("explaining", done, of: part.count, "rows")
        })
    }
    guard let explanations = values?.explanations else { return }
    stages.finish("explanations")
    var measures = try RunMeasures(explainer)
    measures.removal = try explainer.removalMeasures()
    let refits =
      arguments[refits]
      ?? Explainer.usualRefits(rows: given.split.training.count, features: given.table.features.count)
    if refits > 0 { console.progress("refitting to \(refits) draws of the rows") }
    measures.stability = try explainer.stability(refits: refits, rows: chosen.count <= 20 ? chosen : [])
    measures.counterfactuals = try CounterfactualMeasures(explanations, explainer)
    stages.finish("measures")
    if let folder = arguments[ExplainingOptions.output] {
      console.progress("writing \(folder)")
      let files = ExplanationFiles(explainer, folder: folder)
      try files.writeImportance()
      try files.write(rules: explainer.rules())
      try files.write(explanations: explanations)
      try files.write(counterfactuals: explanations)
      try files.writeSurrogate()
      try files.writeSummary(given.read, measures: measures, command: name)
      if let first = explanations.first {
        console.progress("measuring effects of features")
        try writeEffects(
          explainer, first, folder: folder, groups: groups ?? Array(explainer.choice.features.prefix(8)))
      }
      try ReportCommand.write(arguments, folder: folder, console: console)
    }
    stages.finish("files")
    console.endProgress()
    let text = ExplanationText(explainer: explainer)
    for line in ExplanationText.tableLines(given.read) { console.print(line) }
    for line in text.modelLines(measures) { console.print(line) }
    for explanation in explanations.prefix(20) {
      console.print("")
      for line in text.lines(explanation, measures.stability) { console.print(line) }
    }
    if explanations.count > 20 {
      console.print("")
      console.print("\(ReadingText.count(explanations.count - 20, "more row")); --output writes them all")
    }
    if let found = measures.counterfactuals {
      for line in text.counterfactualLines(found) { console.print(line) }
    }
    if arguments[StageTimes.option], let row = chosen.first {
      // Once more on their own: a rule and counterfactuals cost too little to be read off the stage of all.
      stages.finish("text")
      _ = try explainer.anchor(row: row)
      stages.finish("one_rule")
      if explainer.probed.answersNewRows {
        let found = try explainer.counterfactuals(row: row, limits: limits)
        stages.finish("\(found.count)_counterfactuals")
      }
      console.print(stages.report.line)
    }
  }

  /// The files that figures are drawn of.
  private static func writeEffects(
    _ explainer: Explainer, _ first: RowExplanation, folder: String, groups: [Int]
  ) throws {
    // Of two classes the second, as everywhere; of more the one that the first row is explained for.
    let output = first.prediction.count == 2 ? 1 : first.prediction.count > 2 ? first.outcome : 0
    let effects = try explainer.effects(following: output)
    try EffectFiles(explainer: explainer, effects: effects, folder: folder).write(groups: groups)
    guard explainer.probed.answersNewRows, let file = WhatIfFile(explainer: explainer).json(row: first.row)
    else { return }
    try writeFile(file.line + "\n", to: folder + "/what-if.json")
  }

  /// The features of `--quality-by`; nil where it was not given.
  private static func groupFeatures(
    _ arguments: ParsedArguments, _ names: [String]
  ) throws(UsageError) -> [Int]? {
    guard arguments.isGiven(qualityBy) else { return nil }
    guard arguments[ExplainingOptions.output] != nil else {
      throw .invalid("--quality-by says what groups.csv holds, which is written with --output")
    }
    var places: [Int] = []
    for word in arguments.list(qualityBy) {
      guard let place = names.firstIndex(of: word) else {
        throw .invalid("--quality-by: there is no feature '\(word)' among the table's")
      }
      places.append(place)
    }
    return places
  }

  /// The rows to explain, counted from 0.
  private static func rows(_ arguments: ParsedArguments, _ given: SplitTable) throws(UsageError) -> [Int] {
    let asked = [arguments.isGiven(row), arguments.isGiven(rows), arguments[everyRow]].count { $0 }
    guard asked <= 1 else { throw .invalid("--row, --rows and --all exclude one another") }
    if arguments[everyRow] { return Array(0..<given.table.rowCount) }
    let words = arguments.list(rows)
    var numbers: [Int] = []
    for word in words {
      guard let number = Int(word) else {
        throw .badValue(option: "rows", value: word, expectation: "whole numbers from 1, separated by commas")
      }
      numbers.append(number)
    }
    if let number = arguments[row] { numbers = [number] }
    if numbers.isEmpty { return Array(given.split.held.prefix(1)) }
    for number in numbers where !(1...given.table.rowCount).contains(number) {
      throw .invalid("there is no row \(number): the table has rows 1 to \(given.table.rowCount)")
    }
    return numbers.map { $0 - 1 }
  }
}
