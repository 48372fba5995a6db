// headlamp importance: what the features mean to a black box.

import Files
import Reports
import Tables
import TabularExplainer
import Tensors

/// Ranks features by their importance to a black box.
enum ImportanceCommand: ShardableCommand {
  static let name = "importance"
  static let summary = "rank a table's features by what they mean to a black box"
  static let discussion = """
    Fits or opens a black box and ranks the features by importance, each with an interval. Prints the most and the least
    important ones; with --output it writes importance.csv, which holds all.

    Without --method the ranking is the one that 'explain' works with, and shows which features its surrogate keeps.
    With --method the black box is put to one probe on the held-out rows: shap and impurity for trees; permutation,
    occlusion and sampling-shap for any; integrated-gradients, gradient-input and attention for networks. With --row
    the probe looks at that row alone. --correlated 0.9 joins features whose ranks correlate so strongly, and shuffles
    each group as a whole.

    With --shard I/N a --method is put to one of N parts of the rows (permutation: of the features), which 'headlamp merge'
    puts together.
    """
  static let positionals = [Positional("TABLE", help: "a CSV or TSV file, or 'example'")]
  static let method = Option<ImportanceMethod>(
    "method", "PROBE", help: ImportanceMethod.allCases.map(\.rawValue).joined(separator: ", "))
  static let row = Option<Int>("row", "N", help: "look at this row alone, counted from 1")
  static let correlated = Option<Double>(
    "correlated", "RHO", help: "join features of at least this rank correlation, 0 to 1")
  static let most = Option<Int>("most", "N", default: 15, help: "how many features to print")
  static let least = Option<Int>(
    "least", "N", default: 5, help: "how many of the least important ones to print")
  static let rows = Option<Int>("rows", "N", default: 400, help: "the most held-out rows a probe looks at")
  static let json = Flag("json", help: "print one JSON object: what was asked, and how long it took")
  static let options: [any OptionDeclaration] =
    [method, row, rows, correlated, most, least, json, ShardOptions.shard]
    + ExplainingOptions.table + ExplainingOptions.model + ExplainingOptions.standIn + ExplainingOptions.common
  static let examples = [
    Example("headlamp importance example", "the features that decide the example's labels"),
    Example(
      "headlamp importance example --black-box cae-san --method attention", "where a network's attention lies"
    ),
  ]

  static func run(_ arguments: ParsedArguments, _ work: Work, console: Console) throws {
    let counts = (most: try count(most, arguments), least: try count(least, arguments))
    if arguments.isGiven(correlated), arguments[method] ?? .permutation != .permutation {
      throw UsageError.invalid("--correlated goes with --method permutation")
    }
    let probes = arguments.isGiven(method) || arguments.isGiven(row) || arguments.isGiven(correlated)
    if probes, let option = ExplainingOptions.standIn.first(where: { arguments.isGiven($0) }) {
      throw UsageError.invalid(
        "--\(option.name) has no effect with --method, --row or --correlated: no surrogate is fitted")
    }
    if arguments.isGiven(rows),
      !arguments.isGiven(method) || arguments.isGiven(row) || arguments.isGiven(correlated)
    {
      throw UsageError.invalid("--rows has no effect without --method, nor with --row or --correlated")
    }
    if arguments[json],
      let option = ([most, least] as [any OptionDeclaration]).first(where: { arguments.isGiven($0) })
    {
      throw UsageError.invalid("--\(option.name) has no effect with --json")
    }
    if work.isPart {
      guard arguments[method]?.measuresParts == true, !arguments.isGiven(row), !arguments.isGiven(correlated)
      else {
        throw UsageError.invalid(
          "--shard goes with a --method that measures rows or features one by one, without --row or --correlated: all "
            + "others look at the whole table at once")
      }
    }
    if arguments.isGiven(row), arguments.isGiven(correlated) {
      throw UsageError.invalid("--row and --correlated exclude one another")
    }
    console.progress("reading \(arguments.positionals[0])")
    let given = try SplitTable(arguments, keepingAside: arguments.list(ExplainingOptions.predictions))
    let options = try ExplainerOptions(arguments, given.table.features)
    console.progress("fitting and probing the black box")
    let text: ImportanceText
    let clock = ContinuousClock()
    let start = clock.now
    if arguments.isGiven(method) || arguments.isGiven(row) || arguments.isGiven(correlated) {
      guard let found = try probe(given, arguments, work, console) else { return }
      text = found
    } else {
      text = ImportanceText(
        try Explainer(
          given.table, split: given.split, try given.probed(arguments, console: console), options: options))
    }
    if let folder = arguments[ExplainingOptions.output] {
      try claimFolder(folder)
      try text.document.write(to: folder + "/importance.csv")
    }
    console.endProgress()
    if arguments[json] {
      let seconds = text.seconds ?? (clock.now - start).seconds
      console.print(text.report(seconds: seconds).line)
      return
    }
    for line in ExplanationText.tableLines(given.read) { console.print(line) }
    for line in text.lines(top: counts.most, bottom: counts.least) { console.print(line) }
  }

  private static func count(_ option: Option<Int>, _ arguments: ParsedArguments) throws(UsageError) -> Int {
    let count = try arguments.required(option)
    guard count >= 0 else { throw .invalid("--\(option.name) wants a whole number from 0") }
    return count
  }

  /// The most features that are compared with one another.
  private static let groupedFeatures = 300

  private static func probe(
    _ given: SplitTable, _ arguments: ParsedArguments, _ work: Work, _ console: Console
  ) throws -> ImportanceText? {
    let seed = arguments[ExplainingOptions.seed] ?? 0
    if let threshold = arguments[correlated] {
      guard threshold > 0, threshold <= 1 else {
        throw UsageError.badValue(
          option: "correlated", value: "\(threshold)", expectation: "a correlation above 0, at most 1")
      }
      let probe = ImportanceProbe(
        try given.probed(arguments, console: console), given.table, split: given.split, seed: seed)
      let candidates = Array(probe.probed.ranking.prefix(groupedFeatures)).sorted()
      let groups = FeatureGroups(
        given.table.features.selecting(rows: given.split.training), candidates: candidates,
        threshold: threshold)
      return ImportanceText(try probe.importance(of: groups))
    }
    let method = arguments[method] ?? .occlusion
    guard let number = arguments[row] else {
      var probe = ImportanceProbe(
        try given.probed(arguments, console: console), given.table, split: given.split, seed: seed)
      probe.rowLimit = try count(rows, arguments)
      let clock = ContinuousClock()
      let start = clock.now
      var text: ImportanceText
      if method.measuresParts {
        let values = try work.values(
          of: Self.self, arguments, method == .permutation ? "features" : "rows",
          total: probe.unitCount(of: method), facts: TableFacts.facts(arguments, given), console: console
        ) { ImportanceValues(measured: try probe.measurements(by: method, of: $0)) }
        guard let values else { return nil }
        text = ImportanceText(probe.importance(from: values.measured), unit: method.unit)
      } else {
        text = ImportanceText(try probe.importance(by: method), unit: method.unit)
      }
      text.seconds = (clock.now - start).seconds
      return text
    }
    guard method.speaksOfRows else {
      throw UsageError.invalid("--method \(method.rawValue) says nothing of a single row")
    }
    guard (1...given.table.rowCount).contains(number) else {
      throw UsageError.invalid("there is no row \(number): the table has rows 1 to \(given.table.rowCount)")
    }
    let probe = ImportanceProbe(
      try given.probed(arguments, console: console), given.table, split: given.split, seed: seed)
    let own = try probe.attributions(by: method, at: [number - 1])
    return ImportanceText(own, row: number)
  }
}

extension ImportanceMethod: ArgumentValue {}

extension ImportanceText {
  /// One row's attributions, the largest first.
  fileprivate init(_ attributions: RowAttributions, row: Int) {
    let values = attributions.values.values.map { Double($0) }
    let order = values.indices.sorted { (-abs(values[$0]), $0) < (-abs(values[$1]), $1) }
    var unit = "row \(row)'s contributions to its prediction"
    if let baseline = attributions.baselines.first, let prediction = attributions.predictions.first {
      unit += ", from \(baseline.text(decimals: 4)) to \(prediction.text(decimals: 4))"
    }
    self.init(
      method: attributions.method, unit: unit,
      entries: order.map { Entry(name: attributions.names[$0], value: values[$0]) })
  }
}
