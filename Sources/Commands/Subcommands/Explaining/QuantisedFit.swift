// Boosted trees for a quantised table: measured on rows held out of it, by one process or by several.

import Files
import Tables
import TabularExplainer
import Tensors
import Trees

/// What `fit` does with a table that `headlamp quantise` wrote.
struct QuantisedFit {
  /// The share of rows held out, for measuring.
  static let heldShare = 0.2

  private let arguments: ParsedArguments
  private let options: BoostingOptions
  private let table: QuantisedTable
  private let openSeconds: Double

  /// Opens the table that `arguments` name.
  init(_ arguments: ParsedArguments) throws {
    try Self.refuseIdleOptions(arguments)
    self.arguments = arguments
    options = try Self.options(arguments)
    let clock = ContinuousClock()
    let start = clock.now
    table = try QuantisedTable(path: arguments.positionals[0])
    openSeconds = (clock.now - start).seconds
  }

  /// Fits boosted trees, measures them on the held-out rows, and writes them.
  /// - Parameter team: processes that share the rows; the first prints and writes.
  func run(console: Console, team: some RowTeam) throws {
    let path = arguments.positionals[0]
    let clock = ContinuousClock()
    let start = clock.now
    let fitted = try TreeEnsemble.boosted(table, options: options, holding: Self.heldShare, team: team) {
      round in
      if team.rank == 0 { console.progress("fitting", round, of: options.rounds, "rounds") }
    }
    let seconds = (clock.now - start).seconds
    guard team.rank == 0 else { return }
    console.progress("measuring")
    let quality = Self.quality(fitted, table)
    if let file = arguments[FitCommand.output] { try fitted.ensemble.write(to: file) }
    console.endProgress()
    if arguments[FitCommand.json] {
      console.print(Self.report(fitted, table, quality, seconds: seconds).line)
      return
    }
    console.print(
      "table       \(path), \(table.rowCount) rows × \(ReadingText.count(table.featureNames.count, "feature")), target "
        + "'\(table.targetName)'")
    let measured = fitted.heldTargets.count
    var heading = "\(fitted.heldRows) rows, a fifth of all by a hash of their cells"
    if measured < fitted.heldRows { heading += "; measured on \(measured) of them, spread evenly" }
    for line in ExplanationText.lines("held out", [heading] + ExplanationText.estimateLines(quality)) {
      console.print(line)
    }
    console.print(
      "fitted      \(ReadingText.count(fitted.ensemble.trees.count, "tree")) to the other \(fitted.fittedRows) rows in "
        + "\(seconds.text(decimals: 2)) s"
        + (team.size > 1 ? " by \(team.size) processes" : "")
        + " (the table was opened in \(openSeconds.text(decimals: 2)) s)")
    if let file = arguments[FitCommand.output] { console.print("written     \(file)") }
  }

  /// What the table decided when it was quantised, or what only other black boxes heed.
  private static func refuseIdleOptions(_ arguments: ParsedArguments) throws(UsageError) {
    let settled = ExplainingOptions.table.map(\.name) + [FitCommand.folds.name, FitOptions.bins.name]
    for option in FitCommand.options where settled.contains(option.name) && arguments.isGiven(option) {
      throw .invalid(
        option.name == FitCommand.folds.name
          ? "--folds has no effect on a quantised table: a fifth of its rows is held out"
          : "--\(option.name) has no effect on a quantised table: 'headlamp quantise' has settled it")
    }
    if arguments.isGiven(FitOptions.kind), arguments[FitOptions.kind] != .boosted {
      throw .invalid("a quantised table is for --black-box boosted; other black boxes need the table itself")
    }
  }

  private static func options(_ arguments: ParsedArguments) throws(UsageError) -> BoostingOptions {
    let options = try FitOptions.boosting(arguments)
    for (value, option) in [
      (options.rowShare, FitOptions.rowShare), (options.featureShare, FitOptions.featureShare),
    ]
    where value != nil {
      throw .invalid("--\(option.name) is not for quantised tables: their trees see all rows and features")
    }
    if options.minimumCategoryRows != nil {
      throw .invalid("--category-rows has no effect on a quantised table: its rare categories stand together")
    }
    return options
  }

  private static func quality(_ fitted: BoostedTable, _ table: QuantisedTable) -> [NamedEstimate] {
    let count = fitted.heldTargets.count
    guard count > 0 else { return [] }
    let draws = BootstrapDraws(rows: count, count: 100, seed: 0)
    if table.classNames != nil {
      let scorer = ClassificationScorer(
        labels: fitted.heldTargets.map { Int($0) }, probabilities: fitted.heldOutputs)
      return zip(ClassificationMeasures.names, scorer.estimates(draws: draws)).map {
        NamedEstimate(name: $0, estimate: $1)
      }
    }
    let estimates = RegressionMeasures.estimates(
      truth: fitted.heldTargets, predicted: fitted.heldOutputs.values, draws: draws)
    return zip(RegressionMeasures.names, estimates).map { NamedEstimate(name: $0, estimate: $1) }
  }

  private static func report(
    _ fitted: BoostedTable, _ table: QuantisedTable, _ quality: [NamedEstimate], seconds: Double
  ) -> JSONValue {
    .object([
      JSONMember("rows", .integer(table.rowCount)),
      JSONMember("features", .integer(table.featureNames.count)),
      JSONMember("fitted_rows", .integer(fitted.fittedRows)),
      JSONMember("held_rows", .integer(fitted.heldRows)),
      JSONMember("measured_rows", .integer(fitted.heldTargets.count)),
      JSONMember("held_out", FitCommand.json(of: quality)), JSONMember("fit_seconds", .number(seconds)),
    ])
  }
}
