// headlamp quantise: a table of millions of rows, one byte a cell.

import Files
import Tables
import TabularExplainer
import Trees

/// Writes a table quantised, for fits that never hold it in memory.
enum QuantiseCommand: Subcommand {
  static let name = "quantise"
  static let summary =
    "write a very tall table with one byte a cell, to be fitted without holding it in memory"
  static let discussion = """
    Understands the columns from a sample of the rows, as 'describe' does from all, cuts each into at most 255 bins, and
    reads the whole table once, a quarter of a million rows at a time. 'fit', 'explain' and 'importance' take the file in
    place of a table: boosted trees are fitted to all of its rows, straight from the file, and explanations work on the
    sampled rows, which are kept as they were. 'headlamp-mpi fit' shares the rows between processes.

    The file is in the safetensors format. Texts that the sample does not hold stand with the rare categories; a text in a
    column of numbers ends the reading, with the column's name.
    """
  static let positionals = [Positional("TABLE", help: "a table file")]
  static let bins = Option<Int>("bins", "N", default: 255, help: "the most bins of a feature, 2 to 255")
  static let sample = Option<Int>(
    "sample", "N", default: 200_000, help: "how many rows the columns are understood from, and are kept")
  static let output = Option<String>("output", "FILE", help: "where the quantised table goes")
  static let options: [any OptionDeclaration] =
    ExplainingOptions.table.filter {
      $0.name != ExplainingOptions.hold.name && $0.name != ExplainingOptions.group.name
    } + [bins, sample, ExplainingOptions.seed, output]
  static let examples = [
    Example("headlamp quantise flights.csv --target late --output flights.safetensors", "once for all fits")
  ]

  static func run(_ arguments: ParsedArguments, console: Console) throws {
    let path = arguments.positionals[0]
    let file = try arguments.required(output)
    var options = QuantisingOptions()
    options.maximumBins = try arguments.required(bins)
    options.sampleSize = try arguments.required(sample)
    options.seed = try arguments.required(ExplainingOptions.seed)
    guard (2...255).contains(options.maximumBins) else { throw UsageError.invalid("--bins wants 2 to 255") }
    guard options.sampleSize >= 100 else {
      throw UsageError.invalid("--sample wants at least 100 rows to understand the columns from")
    }
    console.progress("reading \(path)")
    let found = try QuantisedTable.quantise(
      path, target: arguments[ExplainingOptions.target],
      options: try ReadTable.options(arguments, excluding: []), options, to: file
    ) { done, total in
      console.progress("quantising", done, of: total, "rows")
    }
    console.endProgress()
    let table = found.table
    console.print(
      "\(ReadingText.count(found.rowCount, "row")) × \(ReadingText.count(table.features.count, "feature")), target "
        + "'\(table.targetName)', written to \(file)")
    if table.rowCount < found.rowCount {
      console.print(
        "columns were understood from \(table.rowCount) rows, which are kept as they were for explanations")
    }
    for note in ReadingText.notes(table) { console.print(note) }
  }
}
