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
    line or walk and measured on the others. With --task the purity of each codebook comes behind: of the codes that are
    active at the end of any state's name, read alone, the share that one state only has; and the same for names with
    the digit that comes next (Tamkin et al. 2023).

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
      try CodeContexts.show(asked, trace, TokenWords(modelFolder: folder), arguments, console)
    } else if texts.labels.names.isEmpty {
      console.endProgress()
      try CodeUseTable.show(trace, arguments, console)
    } else {
      let search = CodeSearch(trace, texts.labels)
      console.progress("comparing with neurons")
      let other = try arguments[neuronsOf].map { try Transformer(folder: $0) } ?? model
      let matches = try search.addingNeurons(of: other, to: search.matches())
      let purity = try texts.machine?.purity(model) ?? []
      console.endProgress()
      try CodeMatchTable.show(matches, purity, arguments, console)
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

  /// Writes a table where --output asks for it.
  static func write(
    _ document: CSVDocument, _ arguments: ParsedArguments, _ console: Console
  ) throws {
    guard let path = arguments[output] else { return }
    try document.write(to: path)
    console.print("wrote \(path)")
  }
}
