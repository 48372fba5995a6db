// headlamp report: the page of results, made again from the files alone.

import Files

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
  static let options: [any OptionDeclaration] = []
  static let examples = [Example("headlamp report results/ioi", "the page of 'headlamp discover ioi'")]

  /// Writes the page beside results that are just written, unless it is to be left out.
  /// - Throws: `FileError` where it cannot be written.
  static func write(_ arguments: ParsedArguments, folder: String) throws {
    if !arguments[none] { try ResultPage.write(forFolder: folder) }
  }

  static func run(_ arguments: ParsedArguments, console: Console) throws {
    let folder = arguments.positionals[0]
    try ResultPage.write(forFolder: folder)
    console.print("wrote \(folder)/report.html")
  }
}
