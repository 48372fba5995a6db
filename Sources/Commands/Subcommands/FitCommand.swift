// headlamp fit: a black box of our own, its held-out quality, and a model file.

import Files
import Tables
import TabularExplainer
import Tensors
import Trees

/// Fits a black box to a table.
enum FitCommand: Subcommand {
  static let name = "fit"
  static let summary = "fit a black box to a table and measure it on rows it has not seen"
  static let discussion = """
    Reads a table (CSV or TSV, gzip or not), fits a forest, extra trees, boosted trees, a multi-layer perceptron or the
    convolutional autoencoder with self-attention, and prints its quality from stratified folds that keep copies of a
    row together. The probabilities of boosted trees are calibrated by what the folds show. The file it writes holds
    the model fitted to all rows: trees as JSON, networks as safetensors. 'headlamp explain --black-box FILE' opens it.

    TABLE may be a file of 'headlamp quantise': boosted trees are then fitted to four fifths of its rows and measured on
    the others, and the table is never held in memory.
    """
  static let positionals = [Positional("TABLE", help: "a CSV or TSV file, or 'example'")]
  static let folds = Option<Int>("folds", "N", default: 5, help: "folds for the measures; 0 for none")
  static let output = Option<String>("output", "FILE", help: "where the model goes")
  static let json = Flag("json", help: "print one JSON object")
  static let options: [any OptionDeclaration] =
    ExplainingOptions.table.filter { $0.name != ExplainingOptions.hold.name }
    + FitOptions.all + [folds, ExplainingOptions.seed, output, json]
  static let examples = [
    Example("headlamp fit example --black-box forest", "how well a forest does on the project's own table"),
    Example(
      "headlamp fit table.csv --black-box boosted --output model.json",
      "quality of boosted trees, and the model"),
  ]

  static func run(_ arguments: ParsedArguments, console: Console) throws {
    if QuantisedTable.isOne(arguments.positionals[0]) {
      console.progress("opening \(arguments.positionals[0])")
      try QuantisedFit(arguments).run(console: console, team: LoneProcess())
      return
    }
    let model = try FitOptions.model(arguments)
    let count = try arguments.required(folds)
    guard count == 0 || count >= 2 else { throw UsageError.invalid("--folds wants 0, or a number from 2") }
    let clock = ContinuousClock()
    console.progress("reading \(arguments.positionals[0])")
    let read = try ReadTable(arguments)
    let seed = try arguments.required(ExplainingOptions.seed)
    var quality: [NamedEstimate] = []
    var calibration: Calibration?
    if count > 0 {
      console.progress("fitting to \(count) folds")
      (quality, calibration) = try self.quality(read, model, folds: count, seed: seed)
    }
    console.progress("fitting to all rows")
    let fitting = clock.now
    var fitted = try model.fit(read.table, seed: seed)
    if let calibration { fitted = fitted.calibrated(calibration) }
    let fitSeconds = (clock.now - fitting).seconds
    if let path = arguments[output] { try fitted.write(to: path) }
    console.endProgress()
    if arguments[json] {
      console.print(report(read, quality, calibration, fitSeconds: fitSeconds).line)
      return
    }
    for line in ExplanationText.tableLines(read) { console.print(line) }
    if !quality.isEmpty {
      let heading = "every row by a model fitted to the other \(count - 1) of \(count) folds"
      let lines = ExplanationText.lines("held out", [heading] + ExplanationText.estimateLines(quality))
      for line in lines { console.print(line) }
    }
    console.print(
      "fitted      \(fitted.description) in \(fitSeconds.text(decimals: 2)) s "
        + "(the table was read in \(read.readSeconds.text(decimals: 2)) s)")
    if let calibration {
      console.print(
        calibration.factor < 1
          ? "calibrated  scores × \(calibration.factor.text(decimals: 2)), by what the folds show"
          : "calibrated  the folds show no reason to shrink the scores")
    } else if model.isCalibrated(on: read.table.target) {
      console.print("calibrated  no: without folds nothing shows how sure the probabilities may be")
    }
    if let path = arguments[output] { console.print("written     \(path)") }
  }

  private static func report(
    _ read: ReadTable, _ quality: [NamedEstimate], _ calibration: Calibration?, fitSeconds: Double
  ) -> JSONValue {
    let factor = calibration.map { [JSONMember("score_factor", .number($0.factor))] } ?? []
    return .object(
      [
        JSONMember("rows", .integer(read.table.rowCount)),
        JSONMember("features", .integer(read.table.features.count)),
        JSONMember("held_out", json(of: quality)),
        JSONMember("read_seconds", .number(read.readSeconds)),
        JSONMember("fit_seconds", .number(fitSeconds)),
      ] + factor)
  }

  /// Measures as an object: value and interval by name.
  static func json(of quality: [NamedEstimate]) -> JSONValue {
    .object(
      quality.map { named in
        JSONMember(
          named.name,
          .object([
            JSONMember("value", .number(named.estimate.value)),
            JSONMember("low", .number(named.estimate.interval.low)),
            JSONMember("high", .number(named.estimate.interval.high)),
          ]))
      })
  }

  /// Every row predicted by a model that has not seen it, and measured; and what that says of how sure scores are.
  private static func quality(
    _ read: ReadTable, _ model: FittedKind, folds: Int, seed: UInt64
  ) throws -> (estimates: [NamedEstimate], calibration: Calibration?) {
    let table = read.table
    let splits = try table.folds(folds, groups: read.groups, seed: seed)
    var predictions = try crossPredictions(table, folds: splits) { rows in
      try model.fit(table.selecting(rows: rows), seed: seed).blackBox
    }
    let draws = BootstrapDraws(rows: table.rowCount, count: table.rowCount > 20_000 ? 100 : 300, seed: seed)
    switch table.target {
    case .classes(let labels, _):
      var calibration: Calibration?
      if model.isCalibrated(on: table.target) {
        calibration = Calibration(predictions, labels: labels)
        predictions = Calibration.crossApplied(to: predictions, labels: labels, folds: splits.map(\.held))
      }
      let estimates = ClassificationScorer(labels: labels, probabilities: predictions).estimates(draws: draws)
      return (
        zip(ClassificationMeasures.names, estimates).map { NamedEstimate(name: $0, estimate: $1) },
        calibration
      )
    case .values(let values):
      let estimates = RegressionMeasures.estimates(truth: values, predicted: predictions.values, draws: draws)
      return (zip(RegressionMeasures.names, estimates).map { NamedEstimate(name: $0, estimate: $1) }, nil)
    }
  }
}
