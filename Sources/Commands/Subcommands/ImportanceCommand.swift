// headlamp importance: what the features mean to a black box.

import Files
import Tables
import TabularExplainer

/// Ranks features by their importance to a black box.
enum ImportanceCommand: Subcommand {
  static let name = "importance"
  static let summary = "rank a table's features by what they mean to a black box"
  static let discussion = """
    Fits or opens a black box and ranks the features by importance. Prints the most and the least important ones.
    With --output it writes importance.csv.
    """
  static let positionals = [Positional("TABLE", help: "a CSV or TSV file, or 'example'")]
  static let options: [any OptionDeclaration] =
    ExplainingOptions.table + ExplainingOptions.model + ExplainingOptions.standIn + ExplainingOptions.common
  static let examples = [
    Example("headlamp importance example", "the features that decide the example's labels")
  ]

  static func run(_ arguments: ParsedArguments, console: Console) throws {
    console.progress("reading \(arguments.positionals[0])")
    let read = try ReadTable(arguments, keepingAside: arguments.list(ExplainingOptions.predictions))
    let options = try ExplainerOptions(arguments)
    console.progress("fitting")
    let explainer = try Explainer(read.table, split: read.split, try read.probed(arguments), options: options)
    if let folder = arguments[ExplainingOptions.output] {
      try ExplanationFiles(explainer, folder: folder).writeImportance()
    }
    console.endProgress()
    let text = ExplanationText(explainer: explainer)
    for line in text.tableLines(read) { console.print(line) }
    for line in text.importanceLines() { console.print(line) }
  }
}
