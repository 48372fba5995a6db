// headlamp describe: what is understood of a table, column by column.

import Files
import Tables
import TabularExplainer

/// Lists a table's columns as they are read.
enum DescribeCommand: Subcommand {
  static let name = "describe"
  static let summary = "show how a table is read: every column, what was left out, and what to check"
  static let discussion = """
    Reads a table as 'explain' and 'fit' do, and says of every column what it holds, how many cells are missing, how its
    values lie, and what should be checked. Nothing is fitted. TABLE may be CSV, TSV, lines with semicolons, bars or
    blanks, ARFF, libsvm or JSON records, plain, gzip or zip, in UTF-8, UTF-16 or Latin-1.
    """
  static let positionals = [Positional("TABLE", help: "a table file")]
  static let options: [any OptionDeclaration] = ExplainingOptions.table.filter {
    $0.name != ExplainingOptions.hold.name && $0.name != ExplainingOptions.group.name
  }
  static let examples = [
    Example("headlamp describe loans.csv", "how the table is read, column by column")
  ]

  static func run(_ arguments: ParsedArguments, console: Console) throws {
    let path = arguments.positionals[0]
    console.progress("reading \(path)")
    let options = try ReadTable.options(arguments, excluding: [])
    let table = try Table(readingFrom: path, target: arguments[ExplainingOptions.target], options: options)
    console.endProgress()
    console.result(json(table, path: path))
    for line in lines(table, path: path) { console.print(line) }
  }

  private static func json(_ table: Table, path: String) -> JSONValue {
    .object([
      JSONMember("path", .string(path)), JSONMember("rows", .integer(table.rowCount)),
      JSONMember("features", .integer(table.features.count)),
      JSONMember("target", .string(table.targetName)),
      JSONMember("rows_without_target", .integer(table.rowsWithoutTarget)),
      JSONMember("duplicate_rows", .integer(table.duplicateRowCount)),
      JSONMember(
        "columns",
        .array(
          table.readings.map { reading in
            .object([
              JSONMember("name", .string(reading.name)),
              JSONMember("content", .string(ReadingText.content(reading))),
              JSONMember("missing", .integer(reading.missing)),
              JSONMember("remarks", .array(reading.remarks.map { .string(ReadingText.text($0)) })),
            ])
          })),
    ])
  }

  static func lines(_ table: Table, path: String) -> [String] {
    let rows = ReadingText.count(table.rowCount, "row")
    var lines = ["\(path): \(rows) × \(table.features.count) features, target '\(table.targetName)'"]
    if let layout = table.layout {
      lines.append(
        "\(layout.encoding.rawValue), cells parted by \(separatorName(layout.separator)), "
          + (layout.hasHeader ? "the first row holds names" : "no row of names"))
    }
    let width = min(32, table.readings.map(\.name.count).max() ?? 0)
    let places = Dictionary(
      table.features.names.enumerated().map { ($1, $0) }, uniquingKeysWith: { first, _ in first })
    let catalogue = FeatureCatalogue(table.features)
    for reading in table.readings {
      var words = [ReadingText.content(reading)]
      if let place = places[reading.name], let values = values(table.features, place, catalogue) {
        words.append(values)
      }
      if reading.name == table.targetName { words = ["target: " + targetText(table.target)] }
      if reading.missing > 0 { words.append("\(reading.missing) missing") }
      lines.append("  \(reading.name.padded(to: width))  \(words.joined(separator: ", "))")
      for remark in reading.remarks {
        lines.append("  \("".padded(to: width))    \(ReadingText.text(remark))")
      }
    }
    if table.rowsWithoutTarget > 0 {
      lines.append("\(ReadingText.count(table.rowsWithoutTarget, "row")) without a target left out")
    }
    if table.duplicateRowCount > 0 {
      lines.append(
        "\(ReadingText.count(table.duplicateRowCount, "row")) with the same features as an earlier one")
    }
    return lines
  }

  private static func separatorName(_ byte: UInt8) -> String {
    switch byte {
    case 0x09: "tabs"
    case 0x20: "blanks"
    case 0x2c: "commas"
    case 0x3b: "semicolons"
    case 0x7c: "bars"
    default: "'\(Character(Unicode.Scalar(byte)))'"
    }
  }

  private static func values(_ features: Features, _ place: Int, _ catalogue: FeatureCatalogue) -> String? {
    let known = features.column(place).filter { !$0.isNaN }
    switch features.kinds[place] {
    case .numeric:
      guard let low = known.min(), let high = known.max() else { return nil }
      return "\(catalogue.text(low, of: place)) to \(catalogue.text(high, of: place))"
    case .categorical:
      var counts: [Float: Int] = [:]
      for cell in known { counts[cell, default: 0] += 1 }
      let most = counts.sorted { ($1.value, $0.key) < ($0.value, $1.key) }.prefix(3)
      return most.map { "\(catalogue.text($0.key, of: place)) (\($0.value))" }.joined(separator: ", ")
    }
  }

  private static func targetText(_ target: Target) -> String {
    switch target {
    case .classes(let labels, let names):
      var counts = [Int](repeating: 0, count: names.count)
      for label in labels { counts[label] += 1 }
      let order = counts.indices.sorted { (counts[$1], $0) < (counts[$0], $1) }
      let shown = order.prefix(5).map { "\(names[$0]) (\(counts[$0]))" }.joined(separator: ", ")
      return "\(names.count) classes: \(shown)" + (names.count > 5 ? ", …" : "")
    case .values(let values):
      guard let low = values.min(), let high = values.max() else { return "a quantity" }
      return "a quantity, \(low.shortText) to \(high.shortText)"
    }
  }
}
