// Where one code is active, and which others are active with it.

import CircuitDiscovery
import Files
import Reports
import Transformers

/// What headlamp codes --code shows.
enum CodeContexts {
  /// Shows some of the places of a code; the table has all.
  static func show(
    _ code: CodeAddress, _ trace: CodeTrace, _ words: TokenWords, _ arguments: ParsedArguments,
    _ console: Console
  ) throws {
    let positions = trace.positions(of: code)
    let share = Double(positions.count) / Double(trace.positions)
    console.print(
      "\(code) is active at \(positions.count) of \(trace.positions) tokens (\((100 * share).text(decimals: 2)) %)"
    )
    var document = CSVDocument(header: ["prompt", "position", "before", "token", "after"])
    for position in positions {
      let place = trace.place(of: position)
      let prompt = trace.prompts[place.prompt]
      let before = words.list(Array(prompt[max(0, place.position - 8)..<place.position]))
      let after = words.list(Array(prompt[place.position + 1..<min(prompt.count, place.position + 5)]))
      document.append([
        .integer(place.prompt), .integer(place.position), .text(before), .text(words[prompt[place.position]]),
        .text(after),
      ])
    }
    for row in document.rows.prefix(try arguments.required(CodesCommand.contexts)) {
      console.print("  \(row[2].words) [\(row[3].words)] \(row[4].words)")
    }
    let companions = trace.companions(of: code, limit: 10)
    if !companions.isEmpty { console.print("active together with (Jaccard of places):") }
    for companion in companions {
      console.print("  \(companion.code.description.padded(to: 14)) \(companion.jaccard.text(decimals: 3))")
    }
    console.result(
      .object([
        JSONMember("code", .string(code.description)), JSONMember("active", .integer(positions.count)),
        JSONMember("tokens", .integer(trace.positions)),
        JSONMember(
          "companions",
          .array(
            companions.map {
              .object([
                JSONMember("code", .string($0.code.description)), JSONMember("jaccard", .number($0.jaccard)),
              ])
            })),
      ]))
    try CodesCommand.write(document, arguments, console)
  }
}

extension CSVCell {
  fileprivate var words: String {
    if case .text(let text) = self { text } else { "" }
  }
}
