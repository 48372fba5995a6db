// headlamp steer: what a model says when codes of its codebooks are forced on.

import CircuitDiscovery
import Files
import Reports
import Tokenizers
import Tensors
import Transformers

/// Forces codes and shows what the model says next.
enum SteerCommand: Subcommand {
  static let name = "steer"
  static let summary = "force codes of a codebook model on, and show what it says next"
  static let discussion = """
    With --prompt and --code the named codes are made the only active ones of their codebooks, at the last token or \
    where --at says, and the most likely next tokens are shown without and with them.

    With --task (a state machine) every state is set at the end of walks that end in others, by forcing its codes at the \
    last token: the one code that tells it best, as 'headlamp codes' finds it on other walks, and the codes of each MLP, \
    of all MLPs, of all heads and of all, as they are active after the state's name alone. A walk counts as steered where \
    the model's most likely next state may follow the state that was set; transition accuracy is the share of the most \
    likely next states, as many as a state has successors, that may follow it.

    With --every-code each code of the model is forced alone at the last token, and the change of the next token's \
    distribution is measured, over the prompt or over walks.
    """
  static let positionals = [
    Positional("MODEL", help: "a folder of a model with codebooks (see train-model --codebook)")
  ]
  static let prompt = Option<String>("prompt", "TEXT", help: "what the model reads")
  static let code = Option<String>("code", "L.H:N,…", help: "codes to force, such as 2.mlp:41,1.3:7")
  static let at = Option<String>("at", "PLACE", default: "last", help: "last, all, or a token's place from 0")
  static let task = Option<String>("task", "TASK", help: "a state machine, by name or path")
  static let walks = Option<Int>("walks", "N", default: 20, help: "walks that are steered, for each state")
  static let seed = Option<UInt64>("seed", "N", default: 1, help: "seed of the walks")
  static let everyCode = Flag("every-code", help: "measure the effect of every code on the next token")
  static let top = Option<Int>("top", "K", default: 5, help: "tokens shown")
  static let output = Option<String>("output", "FILE", help: "write the table as CSV")
  static let options: [any OptionDeclaration] = [
    prompt, code, at, task, walks, seed, everyCode, top, output,
  ]
  static let examples = [
    Example("headlamp steer small-codebook --task tokfsm", "how many states one code can set"),
    Example(
      "headlamp steer small-codebook --prompt '4 2 1 7' --code 2.mlp:41", "the next digit with a code forced"),
    Example(
      "headlamp steer small-codebook --task tokfsm --every-code --output effects.csv",
      "what each code does to the next token"),
  ]

  static func run(_ arguments: ParsedArguments, console: Console) throws {
    let folder = arguments.positionals[0]
    try check(arguments)
    let model = try CodebookModel.load(folder)
    if arguments[everyCode] {
      try measureEveryCode(model, folder, arguments, console)
    } else if arguments[task] != nil {
      try steerStates(model, folder, arguments, console)
    } else {
      try steerPrompt(model, folder, arguments, console)
    }
  }

  private static func check(_ arguments: ParsedArguments) throws {
    guard (arguments[prompt] == nil) != (arguments[task] == nil) else {
      throw UsageError.invalid("either --prompt TEXT or --task TASK is needed: what the model is to read")
    }
    if arguments[prompt] != nil, arguments[code] == nil, !arguments[everyCode] {
      throw UsageError.invalid("--prompt needs --code, or --every-code")
    }
    if arguments[code] != nil, arguments[task] != nil || arguments[everyCode] {
      throw UsageError.invalid(
        "--code goes with --prompt alone: --task and --every-code choose codes themselves")
    }
    if arguments.isGiven(at) || arguments.isGiven(top), arguments[code] == nil {
      throw UsageError.invalid("--at and --top go with --code")
    }
    if arguments.isGiven(walks) || arguments.isGiven(seed), arguments[task] == nil {
      throw UsageError.invalid("--walks and --seed go with --task")
    }
    for option in [walks, top] where try arguments.required(option) < 1 {
      throw UsageError.invalid("--\(option.name) must be above 0")
    }
  }

  // One prompt.

  private static func steerPrompt(
    _ model: Transformer, _ folder: String, _ arguments: ParsedArguments, _ console: Console
  ) throws {
    let tokens = try tokens(arguments, folder, model)
    let codes = try arguments.required(code).split(separator: ",").map {
      try CodebookModel.code(String($0), of: model)
    }
    if let twice = codes.first(where: { code in codes.count { $0.book == code.book } > 1 }) {
      throw UsageError.invalid(
        "--code names codebook \(twice.book) twice; one code of a codebook can be forced")
    }
    let places = try places(arguments, tokens.count)
    let edits = ForcedCodes(codes).edits(at: places)
    let batch = TokenBatch([tokens])
    let before = logSoftmax(try model.nextTokenLogits(batch).row(0)).map(exponential)
    let after = logSoftmax(try model.nextTokenLogits(batch, applying: edits).row(0)).map(exponential)
    try show(before, after, TokenWords(modelFolder: folder), arguments, console)
  }

  private static func show(
    _ before: [Double], _ after: [Double], _ words: TokenWords, _ arguments: ParsedArguments,
    _ console: Console
  ) throws {
    let count = try arguments.required(top)
    let ordered = { (values: [Double]) in
      values.indices.sorted { (values[$1], $0) < (values[$0], $1) }.prefix(count)
    }
    var document = CSVDocument(header: ["token", "text", "before", "after"])
    let shown = ordered(after) + ordered(before).filter { !ordered(after).contains($0) }
    let width = max(4, shown.map { words[$0].count }.max() ?? 0)
    console.print("next".padded(to: width) + "   before    after")
    for token in shown {
      document.append([
        .integer(token), .text(words[token]), .number(before[token]), .number(after[token]),
      ])
      console.print(
        words[token].padded(to: width) + before[token].text(decimals: 4).leftPadded(to: 9)
          + after[token].text(decimals: 4).leftPadded(to: 9))
    }
    let divergence = zip(before, after).reduce(0.0) { sum, pair in
      pair.0 > 0 ? sum + pair.0 * (logarithm(pair.0) - logarithm(max(pair.1, 1e-300))) : sum
    }
    console.print("KL divergence \(divergence.text(decimals: 4)) nats")
    console.result(
      .object([
        JSONMember("kl_divergence", .number(divergence)),
        JSONMember(
          "next",
          .array(
            shown.map { token in
              .object([
                JSONMember("token", .integer(token)), JSONMember("text", .string(words[token])),
                JSONMember("before", .number(before[token])), JSONMember("after", .number(after[token])),
              ])
            })),
      ]))
    try write(document, arguments, console)
  }

  private static func tokens(
    _ arguments: ParsedArguments, _ folder: String, _ model: Transformer
  ) throws -> [Int] {
    let tokens = try Tokenizer(contentsOf: folder).encodeWithBeginning(try arguments.required(prompt)).ids
    guard !tokens.isEmpty else { throw UsageError.invalid("--prompt has no tokens") }
    guard tokens.count <= model.configuration.context else {
      throw UsageError.invalid(
        "--prompt has \(tokens.count) tokens, and the model reads \(model.configuration.context)")
    }
    return tokens
  }

  /// Where codes are forced in a prompt; nil for everywhere.
  private static func places(_ arguments: ParsedArguments, _ count: Int) throws -> [Int]? {
    let text = try arguments.required(at)
    switch text {
    case "last": return [count - 1]
    case "all": return nil
    default:
      guard let place = Int(text), (0..<count).contains(place) else {
        throw UsageError.invalid("--at is last, all or a token's place from 0 to \(count - 1), not '\(text)'")
      }
      return [place]
    }
  }

  // States of a machine.

  private static func steerStates(
    _ model: Transformer, _ folder: String, _ arguments: ParsedArguments, _ console: Console
  ) throws {
    let name = try arguments.required(task)
    let seed = try arguments.required(seed)
    let machine = try CodebookTexts.machine(task: name, modelFolder: folder)
    let length = max(2, min(10, (model.configuration.context - 1) / machine.machine.source.digits - 1))
    console.progress("finding codes")
    // The walks that codes are found on have a seed of their own.
    let found = machine.walks(400, length: length, seed: seed &+ 1_000_003)
    let search = CodeSearch(
      try CodeTrace(model, found.map(machine.tokens)), machine.labels(of: found))
    let best = Dictionary(
      uniqueKeysWithValues: search.matches().enumerated().compactMap { state, match in
        match.code.map { (state, $0) }
      })
    let walks = machine.walks(try arguments.required(walks), length: length, seed: seed)
    let accuracy = try machine.transitionAccuracy(of: walks, model)
    let states = machine.machine.source.states
    let results = try machine.steer(best: best, walks: walks, model) {
      console.progress("steering", $0, of: states, "states")
    }
    console.endProgress()
    try show(results, accuracy, machine, ForcedPart.all(of: model.configuration), arguments, console)
  }

  private static func show(
    _ results: [StateSteering], _ accuracy: [Double], _ machine: TokenizedStateMachine,
    _ parts: [ForcedPart], _ arguments: ParsedArguments, _ console: Console
  ) throws {
    var document = CSVDocument(
      header: [
        "state", "forced", "code", "walks", "success", "transition_accuracy", "jensen_shannon_divergence",
      ])
    for result in results {
      document.append([
        .text(machine.machine.name(of: result.state).joined()), .text(result.part.description),
        result.code.map { .text($0.description) } ?? .empty, .integer(result.walks), .number(result.success),
        .number(result.transitionAccuracy), .number(result.divergence),
      ])
    }
    let states = machine.machine.source.states
    let summaries = parts.map { part in SteeringSummary(part, results.filter { $0.part == part }) }
    console.print(
      "transition accuracy of the model after \(accuracy.count) walks: "
        + "\((100 * average(accuracy)).text(decimals: 1)) %")
    console.print(
      "forced      walks steered  states >= 90 %  transition accuracy  JS divergence from the state's own")
    for summary in summaries {
      console.print(
        summary.part.description.padded(to: 10)
          + "\((100 * summary.success).text(decimals: 1)) %".leftPadded(to: 15)
          + "\(summary.steered) of \(states)".leftPadded(to: 16)
          + "\((100 * summary.accuracy).text(decimals: 1)) %".leftPadded(to: 21)
          + summary.divergence.text(decimals: 3).leftPadded(to: 15))
    }
    console.result(
      .object([
        JSONMember("transition_accuracy", .number(average(accuracy))), JSONMember("states", .integer(states)),
        JSONMember("forced", .array(summaries.map(\.json))),
      ]))
    try write(document, arguments, console)
  }

  // Every code.

  private static func measureEveryCode(
    _ model: Transformer, _ folder: String, _ arguments: ParsedArguments, _ console: Console
  ) throws {
    var prompts: [[Int]]
    if let name = arguments[task] {
      let machine = try CodebookTexts.machine(task: name, modelFolder: folder)
      prompts = machine.walks(try arguments.required(walks), length: 5, seed: try arguments.required(seed))
        .map(machine.tokens)
    } else {
      prompts = [try tokens(arguments, folder, model)]
    }
    prompts = prompts.map { Array($0.prefix(model.configuration.context)) }
    let count = model.configuration.codebooks?.codes ?? 0
    let codes = CodebookAddress.all(of: model.configuration).flatMap { book in
      (0..<count).map { CodeAddress(book: book, number: $0) }
    }
    let effects = try codeEffects(of: codes, on: prompts, model) {
      if $0 % 20 == 0 { console.progress("forcing", $0, of: codes.count, "codes") }
    }
    console.endProgress()
    let words = TokenWords(modelFolder: folder)
    var document = CSVDocument(
      header: ["code", "kl_divergence", "raised", "raised_by", "lowered", "lowered_by"])
    for effect in effects.sorted(by: { $0.divergence > $1.divergence }) {
      document.append([
        .text(effect.code.description), .number(effect.divergence), .text(words[effect.raised.token]),
        .number(effect.raised.change), .text(words[effect.lowered.token]), .number(effect.lowered.change),
      ])
    }
    console.print("\(effects.count) codes on \(prompts.count) prompts; the ten of largest effect:")
    console.print("code            KL   raises        lowers")
    for effect in effects.sorted(by: { $0.divergence > $1.divergence }).prefix(10) {
      console.print(
        effect.code.description.padded(to: 12) + effect.divergence.text(decimals: 3).leftPadded(to: 7) + "   "
          + "\(words[effect.raised.token]) +\(effect.raised.change.text(decimals: 2))".padded(to: 14)
          + "\(words[effect.lowered.token]) \(effect.lowered.change.text(decimals: 2))")
    }
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

/// What forcing one part of every state's codes does.
private struct SteeringSummary {
  let part: ForcedPart
  let success: Double
  let steered: Int
  let accuracy: Double
  let divergence: Double

  init(_ part: ForcedPart, _ results: [StateSteering]) {
    self.part = part
    success = average(results.map(\.success))
    steered = results.count { $0.success >= 0.9 }
    accuracy = average(results.map(\.transitionAccuracy))
    divergence = average(results.map(\.divergence))
  }

  var json: JSONValue {
    .object([
      JSONMember("part", .string(part.description)), JSONMember("walks_steered", .number(success)),
      JSONMember("states_steered", .integer(steered)), JSONMember("transition_accuracy", .number(accuracy)),
      JSONMember("jensen_shannon_divergence", .number(divergence)),
    ])
  }
}
