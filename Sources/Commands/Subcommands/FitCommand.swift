// headlamp fit: a black box of our own, its held-out quality, and a model file.

import FoundationEssentials
import Files
import Tables
import TabularExplainer
import Tensors
import Trees

/// Fits a tree black box to a table.
enum FitCommand: Subcommand {
  static let name = "fit"
  static let summary = "fit a black box to a table and measure it on rows it has not seen"
  static let discussion = """
    Reads a CSV or TSV file (gzip or not), fits a forest, extra trees or boosted trees, prints accuracy and Matthews'
    correlation (or R²) from stratified folds that keep copies of a row together, and writes the model, fitted to all
    rows, as JSON.
    """

  enum Kind: String, CaseIterable, ArgumentValue {
    case forest
    case extraTrees = "extra-trees"
    case boosted
  }

  static let positionals = [Positional("TABLE", help: "the table: CSV or TSV, gzip or not")]
  static let target = Option<String>(
    "target", "COLUMN", help: "what to predict; the last column unless given")
  static let kind = Option<Kind>(
    "black-box", "KIND", default: .extraTrees, help: "forest, extra-trees or boosted")
  static let trees = Option<Int>("trees", "N", help: "trees of a forest (300), or boosting rounds (100)")
  static let depth = Option<Int>(
    "depth", "N", help: "the most splits above a leaf (boosted: 6, forests: no limit)")
  static let bins = Option<Int>("bins", "N", help: "the most bins of a feature, 2 to 255 (boosted)")
  static let folds = Option<Int>("folds", "N", default: 5, help: "folds for the measures; 0 for none")
  static let seed = Option<UInt64>("seed", "N", default: 0, help: "the seed of every random choice")
  static let output = Option<String>("output", "FILE", help: "where the model goes")
  static let options: [any OptionDeclaration] = [target, kind, trees, depth, bins, folds, seed, output]
  static let examples = [
    Example(
      "headlamp fit table.csv --black-box boosted --output model.json",
      "quality of boosted trees, and the model")
  ]

  static func run(_ arguments: ParsedArguments, console: Console) throws {
    let model = try model(arguments)
    let clock = ContinuousClock()
    let start = clock.now
    let table = try Table(readingFrom: arguments.positionals[0], target: arguments[target])
    console.print(tableLine(table, seconds: clock.now - start))
    for leak in table.leaks().prefix(5) {
      console.note("warning: '\(leak.feature)' alone determines '\(table.targetName)'")
    }
    let count = try arguments.required(folds)
    if count > 0 {
      guard count >= 2 else { throw UsageError.invalid("--folds wants 0, or a number from 2") }
      let predictions = try model.heldOutPredictions(table, folds: count, seed: try arguments.required(seed))
      console.print(qualityLine(table, predictions, folds: count))
    }
    let fitting = clock.now
    let fitted = try model.fit(table)
    let seconds = (clock.now - fitting).seconds.text(decimals: 2)
    console.print("fitted     \(fitted.ensemble.trees.count) trees in \(seconds) s")
    if let path = arguments[output] {
      try fitted.ensemble.write(to: path)
      console.print("written    \(path)")
    }
  }

  private static func model(_ arguments: ParsedArguments) throws(UsageError) -> TreeModel {
    func atLeastOne(_ option: Option<Int>) throws(UsageError) -> Int? {
      guard let value = arguments[option] else { return nil }
      guard value >= 1 else { throw .invalid("--\(option.name) wants a whole number from 1") }
      return value
    }
    let (count, limit) = (try atLeastOne(trees), try atLeastOne(depth))
    let kind = try arguments.required(kind)
    if kind == .boosted {
      var options = BoostingOptions()
      options.rounds = count ?? options.rounds
      options.maximumDepth = limit ?? options.maximumDepth
      options.maximumBins = arguments[bins]
      guard options.maximumDepth <= 12 else { throw .invalid("--depth of boosted trees is at most 12") }
      guard (2...255).contains(options.maximumBins ?? 2) else { throw .invalid("--bins wants 2 to 255") }
      return .boosted(options)
    }
    var options: ForestOptions = kind == .forest ? .randomForest : .extraTrees
    options.treeCount = count ?? 300
    options.maximumDepth = limit
    options.seed = try arguments.required(seed)
    return .forest(options)
  }

  private static func tableLine(_ table: Table, seconds: Duration) -> String {
    var line = "table      \(table.rowCount) rows × \(table.features.count) features"
    if case .classes(_, let names) = table.target { line += ", \(names.count) classes" }
    if table.duplicateRowCount > 0 { line += ", \(table.duplicateRowCount) rows repeat others" }
    return line + " (read in \(seconds.seconds.text(decimals: 2)) s)"
  }

  private static func qualityLine(_ table: Table, _ predictions: Tensor, folds: Int) -> String {
    switch table.target {
    case .classes(let labels, _):
      let measures = ClassificationScorer(labels: labels, probabilities: predictions).measures()
      return "held out   accuracy \(measures.accuracy.text(decimals: 4)), "
        + "MCC \(measures.matthewsCorrelation.text(decimals: 4)) (\(folds) folds)"
    case .values(let values):
      let measures = RegressionMeasures(truth: values, predicted: predictions.values)
      return "held out   R² \(measures.determination.text(decimals: 4)), "
        + "mean absolute error \(measures.meanAbsoluteError.text(decimals: 4)) (\(folds) folds)"
    }
  }
}

extension Duration {
  /// The duration in seconds.
  var seconds: Double {
    let (whole, rest) = components
    return Double(whole) + Double(rest) * 1e-18
  }
}
