// The code that stands for each label, beside the best neuron, as a table.

import CircuitDiscovery
import Files
import Reports
import Transformers

/// The table of headlamp codes PATTERN and headlamp codes --task.
enum CodeMatchTable {
  /// Shows a line a label and what they come to.
  static func show(
    _ matches: [CodeMatch], _ purity: [CodePurity], _ arguments: ParsedArguments, _ console: Console
  ) throws {
    var document = CSVDocument(
      header: [
        "label", "occurrences", "code", "precision", "recall", "neuron", "neuron_precision_at_that_recall",
      ])
    let width = max(5, matches.map(\.label.count).max() ?? 0)
    console.print(
      "label".padded(to: width) + "  times  code           precision  recall  neuron      its precision")
    for match in matches {
      let neuron = match.neuron.map { "\($0.layer).n\($0.index)" } ?? "-"
      document.append([
        .text(match.label), .integer(match.occurrences), match.code.map { .text($0.description) } ?? .empty,
        .number(match.match.precision), .number(match.match.recall),
        match.neuron == nil ? .empty : .text(neuron), match.neuronPrecision.map { .number($0) } ?? .empty,
      ])
      console.print(
        match.label.padded(to: width) + String(match.occurrences).leftPadded(to: 7) + "  "
          + (match.code?.description ?? "-").padded(to: 13)
          + match.match.precision.text(decimals: 3).leftPadded(to: 11)
          + match.match.recall.text(decimals: 3).leftPadded(to: 8) + "  " + neuron.padded(to: 12)
          + (match.neuronPrecision?.text(decimals: 3) ?? "-").leftPadded(to: 13))
    }
    if matches.count > 1 { summarise(matches, console) }
    show(purity, console)
    console.result(json(matches, purity))
    try CodesCommand.write(document, arguments, console)
  }

  private static func summarise(_ matches: [CodeMatch], _ console: Console) {
    let sure = matches.count { $0.match.precision >= 0.95 && $0.match.recall >= 0.95 }
    let neurons = matches.count { ($0.neuronPrecision ?? 0) >= 0.95 && $0.match.recall >= 0.95 }
    console.print(
      "\(sure) of \(matches.count) labels have a code with precision and recall of 0.95 or more; "
        + "\(neurons) a neuron")
    console.print(
      "mean precision \(average(matches.map(\.match.precision)).text(decimals: 3)), "
        + "recall \(average(matches.map(\.match.recall)).text(decimals: 3)); best neurons at that recall "
        + "\(average(matches.map { $0.neuronPrecision ?? 0 }).text(decimals: 3))")
  }

  private static func show(_ purity: [CodePurity], _ console: Console) {
    guard let shortest = purity.map(\.digits).min() else { return }
    let (alone, longer) = (
      purity.filter { $0.digits == shortest }, purity.filter { $0.digits > shortest }
    )
    console.print(
      "codebook  \(alone[0].inputs) states alone: codes, pure   "
        + "\(longer.first?.inputs ?? 0) with the next digit: codes, pure")
    for (state, next) in zip(alone, longer) {
      console.print(
        state.book.description.padded(to: 8) + String(state.used).leftPadded(to: 20)
          + state.pureShare.leftPadded(to: 8) + String(next.used).leftPadded(to: 27)
          + next.pureShare.leftPadded(to: 8))
    }
  }

  private static func json(_ matches: [CodeMatch], _ purity: [CodePurity]) -> JSONValue {
    .object([
      JSONMember(
        "purity",
        .array(
          purity.map {
            .object([
              JSONMember("codebook", .string($0.book.description)), JSONMember("digits", .integer($0.digits)),
              JSONMember("inputs", .integer($0.inputs)), JSONMember("used", .integer($0.used)),
              JSONMember("pure", .integer($0.pure)),
            ])
          })),
      JSONMember(
        "labels",
        .array(
          matches.map { match in
            .object([
              JSONMember("label", .string(match.label)),
              JSONMember("occurrences", .integer(match.occurrences)),
              JSONMember("code", match.code.map { .string($0.description) } ?? .null),
              JSONMember("precision", .number(match.match.precision)),
              JSONMember("recall", .number(match.match.recall)),
              JSONMember("neuron", match.neuron.map { .string("\($0.layer).n\($0.index)") } ?? .null),
              JSONMember(
                "neuron_precision_at_that_recall", match.neuronPrecision.map { .number($0) } ?? .null),
            ])
          })),
    ])
  }
}

extension CodePurity {
  /// The share of used codes that are pure, as text.
  fileprivate var pureShare: String {
    used == 0 ? "-" : "\((100 * Double(pure) / Double(used)).text(decimals: 0)) %"
  }
}
