// headlamp report: the page of results, made again from the files alone.

import Files
import Reports

/// Writes report.html.
enum ReportCommand: Subcommand {
  static let name = "report"
  static let summary = "write report.html for a folder of results"
  static let discussion = """
    Makes one self-contained page from the tables, pictures and summary.json that a command wrote to DIR: figures, tables
    that sort and filter, and where the result comes from. It needs no network and no other file. Commands that write
    results write the page beside them unless --no-report is given; this one makes it again.
    """
  static let positionals = [Positional("DIR", help: "the folder that a command wrote its results to")]
  static let none = Flag("no-report", help: "leave report.html out")
  static let figures = Option<FigureFormat>(
    "figures", "svg",
    help: "write each figure to DIR/figures as a file too: svg (graphs and trees as .dot beside it)")
  static let options: [any OptionDeclaration] = [figures]
  /// What commands that write results take.
  static let choices: [any OptionDeclaration] = [none, figures]
  static let examples = [Example("headlamp report results/ioi", "the page of 'headlamp discover ioi'")]

  /// Refuses options about the page of results that are not written.
  /// - Throws: `UsageError`.
  static func requireFolder(_ arguments: ParsedArguments, _ output: Option<String>) throws {
    guard arguments[output] == nil else { return }
    if arguments[none] { throw UsageError.invalid("--no-report has no effect without --\(output.name)") }
    if arguments.isGiven(figures) {
      throw UsageError.invalid("--figures has no effect without --\(output.name)")
    }
  }

  /// Writes the page beside results that are just written, unless it is to be left out; their summary is what `--json`
  /// prints.
  /// - Throws: `FileError` where it cannot be written.
  static func write(_ arguments: ParsedArguments, folder: String, console: Console) throws {
    let summary = folder + "/summary.json"
    if fileExists(at: summary) { try console.result(JSONValue(parsing: readText(at: summary))) }
    if arguments[none] {
      guard arguments[figures] == nil else {
        throw UsageError.invalid("--figures are those of the report, which --no-report leaves out")
      }
      return
    }
    try writePage(arguments, folder: folder)
  }

  private static func writePage(_ arguments: ParsedArguments, folder: String) throws {
    let page = try ResultPage.page(ofFolder: folder)
    try page.write(to: folder + "/report.html")
    guard arguments[figures] != nil else { return }
    try claimFolder(folder + "/figures")
    try page.writeFigures(to: folder + "/figures")
  }

  static func run(_ arguments: ParsedArguments, console: Console) throws {
    let folder = arguments.positionals[0]
    try writePage(arguments, folder: folder)
    console.print("wrote \(folder)/report.html")
    if arguments[figures] != nil { console.print("wrote \(folder)/figures") }
  }
}

/// The form of figures as files.
enum FigureFormat: String, CaseIterable, ArgumentValue {
  case svg
}
