// headlamp rules: the rules of a surrogate, measured on held-out rows.

import Files
import Tables
import TabularExplainer

/// Prints the global rules of a black box's surrogate.
enum RulesCommand: Subcommand {
  static let name = "rules"
  static let summary = "print the rules that a black box follows, with their precision"
  static let discussion = """
    Fits or opens a black box and a surrogate, and prints the surrogate's rules, simplified, with coverage, precision
    and lift on held-out rows. With --output it writes rules.csv and surrogate.json.
    """
  static let positionals = [Positional("TABLE", help: "a CSV or TSV file, or 'example'")]
  static let most = Option<Int>("most", "N", default: 8, help: "how many rules to print an outcome")
  static let curve = Flag("curve", help: "print how fidelity grows with features, leaves and trees")
  static let options: [any OptionDeclaration] =
    ExplainingOptions.table + ExplainingOptions.model + ExplainingOptions.standIn + [most, curve]
    + ExplainingOptions.common
  static let examples = [
    Example("headlamp rules example", "the rules of the example table"),
    Example("headlamp rules example --surrogate rule-sets", "for every class the rules that speak for it"),
  ]

  static func run(_ arguments: ParsedArguments, console: Console) throws {
    console.progress("reading \(arguments.positionals[0])")
    let given = try SplitTable(arguments, keepingAside: arguments.list(ExplainingOptions.predictions))
    let options = try ExplainerOptions(arguments, given.table.features)
    console.progress("fitting")
    let explainer = try Explainer(
      given.table, split: given.split, try given.probed(arguments, console: console), options: options)
    let rules = explainer.rules()
    let measures = try RunMeasures(explainer)
    if let folder = arguments[ExplainingOptions.output] {
      try claimFolder(folder)
      let files = ExplanationFiles(explainer, folder: folder)
      try files.write(rules: rules)
      try files.writeSurrogate()
    }
    console.endProgress()
    let text = ExplanationText(explainer: explainer)
    for line in ExplanationText.tableLines(given.read) { console.print(line) }
    for line in text.modelLines(measures) { console.print(line) }
    console.print("")
    if arguments[curve] { for line in text.curveLines() + [""] { console.print(line) } }
    for line in text.ruleLines(rules, limit: max(1, arguments[most] ?? 8)) { console.print(line) }
  }
}
