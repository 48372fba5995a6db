// How many codes of each codebook are in use.

import CircuitDiscovery
import Files
import Reports
import Transformers

/// What headlamp codes shows where nothing is asked for.
enum CodeUseTable {
  /// Shows a line a codebook.
  static func show(
    _ trace: CodeTrace, _ arguments: ParsedArguments, _ console: Console
  ) throws {
    var document = CSVDocument(header: ["codebook", "codes", "used", "perplexity"])
    console.print("codebook   codes    used  perplexity")
    let everywhere = [Bool](repeating: true, count: trace.positions)
    for (index, book) in trace.books.enumerated() {
      let use = CodebookUse(trace.uses(book: index, where: everywhere))
      document.append([
        .text(book.description), .integer(trace.codes), .integer(use.used), .number(use.perplexity),
      ])
      console.print(
        book.description.padded(to: 8) + String(trace.codes).leftPadded(to: 8)
          + String(use.used).leftPadded(to: 8) + use.perplexity.text(decimals: 1).leftPadded(to: 12))
    }
    console.result(
      .object([
        JSONMember(
          "codebooks",
          .array(
            document.rows.map { row in
              .object(zip(document.header, row).map { JSONMember($0, $1.json) })
            }))
      ]))
    try CodesCommand.write(document, arguments, console)
  }
}

extension CSVCell {
  fileprivate var json: JSONValue {
    switch self {
    case .text(let text): .string(text)
    case .integer(let value): .integer(value)
    case .number(let value): .number(value)
    case .boolean(let value): .boolean(value)
    case .empty: .null
    }
  }
}
