// headlamp codes: what the codes of a model's codebooks stand for.

import CircuitDiscovery
import Files
import Reports
import Transformers

/// Shows which codes match a pattern, where a code is active, and which are active together.
enum CodesCommand: Subcommand {
  static let name = "codes"
  static let summary = "find codes of a codebook model that match a pattern, and show where a code is active"
  static let discussion = """
    Runs a model with codebooks on the lines of --text, or on random walks of a state machine (--task), and reads which
    codes are active at each token.

    With a PATTERN (a regular expression) the token in which a match ends is labelled; with --task the token in which a
    state's name ends is labelled with the state. For each label the best code is shown: its precision (of the tokens
    where it is active, the share with the label) and recall (of the tokens with the label, the share where it is
    active), beside the MLP neuron of highest precision at the same recall. Codes and neurons are chosen on every second
    line or walk and measured on the others.

    With --code the places where that code is active are shown, and the codes that are active together with it. With
    neither, how many codes of each codebook are in use.
    """
  static let positionals = [
    Positional("MODEL", help: "a folder of a model with codebooks (see train-model --codebook)"),
    Positional("PATTERN", .optional, help: "a regular expression over the text"),
  ]
  static let text = Option<String>("text", "FILE", help: "the text; each line is read by itself")
  static let task = Option<String>(
    "task", "TASK", help: "a state machine, by name or path, in place of a text")
  static let walks = Option<Int>("walks", "N", default: 200, help: "walks of the state machine")
  static let seed = Option<UInt64>("seed", "N", default: 0, help: "seed of the walks")
  static let code = Option<String>(
    "code", "L.H:N", help: "show where this code is active (L.mlp:N for an MLP's)")
  static let contexts = Option<Int>("contexts", "N", default: 10, help: "places shown of a code")
  static let neuronsOf = Option<String>(
    "neurons-of", "DIR",
    help: "compare with this model's neurons, such as one without codebooks (default MODEL's own)")
  static let output = Option<String>("output", "FILE", help: "write the table as CSV")
  static let options: [any OptionDeclaration] = [
    text, task, walks, seed, code, contexts, neuronsOf, output,
  ]
  static let examples = [
    Example("headlamp codes small-codebook --task tokfsm", "for each state the code that stands for it"),
    Example("headlamp codes small-codebook ' [0-9]{4}' --text corpus.txt", "codes of years"),
    Example("headlamp codes small-codebook --task tokfsm --code 2.mlp:41", "where one code is active"),
  ]

  static func run(_ arguments: ParsedArguments, console: Console) throws {
    let folder = arguments.positionals[0]
    let pattern = arguments.positionals.count > 1 ? arguments.positionals[1] : nil
    try check(arguments, pattern)
    let model = try CodebookModel.load(folder)
    let asked = try arguments[code].map { try CodebookModel.code($0, of: model) }
    let texts = try texts(arguments, pattern, folder, model)
    console.progress("reading codes")
    let trace = try CodeTrace(model, texts.prompts)
    if let asked {
      console.endProgress()
      try show(asked, trace, TokenWords(modelFolder: folder), arguments, console)
    } else if texts.labels.names.isEmpty {
      console.endProgress()
      try showUse(trace, arguments, console)
    } else {
      let search = CodeSearch(trace, texts.labels)
      console.progress("comparing with neurons")
      let other = try arguments[neuronsOf].map { try Transformer(folder: $0) } ?? model
      let matches = try search.addingNeurons(of: other, to: search.matches())
      console.endProgress()
      try show(matches, arguments, console)
    }
  }

  private static func check(_ arguments: ParsedArguments, _ pattern: String?) throws {
    switch (arguments[text], arguments[task]) {
    case (nil, nil):
      throw UsageError.invalid("--text FILE or --task TASK is needed: what the model is to read")
    case (.some, .some): throw UsageError.invalid("--text and --task exclude each other")
    case (nil, .some) where pattern != nil:
      throw UsageError.invalid("a PATTERN goes with --text; with --task the labels are the machine's states")
    case (.some, nil) where arguments.isGiven(walks) || arguments.isGiven(seed):
      throw UsageError.invalid("--walks and --seed go with --task")
    default: break
    }
    if pattern != nil, arguments[code] != nil {
      throw UsageError.invalid("--code shows one code; it goes without a PATTERN")
    }
    if arguments.isGiven(contexts), arguments[code] == nil {
      throw UsageError.invalid("--contexts goes with --code")
    }
    if arguments.isGiven(neuronsOf), arguments[code] != nil || (pattern == nil && arguments[task] == nil) {
      throw UsageError.invalid(
        "--neurons-of goes with a PATTERN or --task, where codes are compared with neurons")
    }
    for option in [walks, contexts] {
      let value = try arguments.required(option)
      guard value > (option.name == walks.name ? 1 : 0) else {
        throw UsageError.invalid(
          "--\(option.name) must be above \(option.name == walks.name ? 1 : 0), not \(value)")
      }
    }
  }

  private static func texts(
    _ arguments: ParsedArguments, _ pattern: String?, _ folder: String, _ model: Transformer
  ) throws -> CodebookTexts {
    if let path = arguments[text] {
      return try CodebookTexts(
        file: path, pattern: pattern, modelFolder: folder, context: model.configuration.context)
    }
    let name = try arguments.required(task)
    let digits = try CodebookTexts.machine(task: name, modelFolder: folder).machine.source.digits
    return try CodebookTexts(
      task: name, modelFolder: folder, walks: arguments.required(walks),
      length: max(2, min(64, (model.configuration.context - 1) / digits)), seed: arguments.required(seed))
  }

  private static func show(
    _ matches: [CodeMatch], _ arguments: ParsedArguments, _ console: Console
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
    console.result(json(matches))
    try write(document, arguments, console)
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

  private static func json(_ matches: [CodeMatch]) -> JSONValue {
    .object([
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
          }))
    ])
  }

  private static func show(
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
    for row in document.rows.prefix(try arguments.required(contexts)) {
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
    try write(document, arguments, console)
  }

  private static func showUse(
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
    try write(document, arguments, console)
  }

  private static func write(
    _ document: CSVDocument, _ arguments: ParsedArguments, _ console: Console
  ) throws {
    guard let path = arguments[output] else { return }
    try document.write(to: path)
    console.print("wrote \(path)")
  }
}

extension CSVCell {
  fileprivate var words: String {
    if case .text(let text) = self { text } else { "" }
  }

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
