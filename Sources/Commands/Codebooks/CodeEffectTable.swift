// What each code of a model does to the next token, as a table.

import CircuitDiscovery
import Files
import Reports
import Transformers

/// What headlamp steer --every-code does.
enum CodeEffectTable {
  /// Measures every code and shows those of largest effect.
  static func measure(
    _ model: Transformer, _ folder: String, _ arguments: ParsedArguments, _ console: Console
  ) throws {
    var prompts: [[Int]]
    if let name = arguments[SteerCommand.task] {
      let machine = try CodebookTexts.machine(task: name, modelFolder: folder)
      prompts = machine.walks(
        try arguments.required(SteerCommand.walks), length: 5, seed: try arguments.required(SteerCommand.seed)
      )
      .map(machine.tokens)
    } else {
      prompts = [try PromptSteering.tokens(arguments, folder, model)]
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
    try SteerCommand.write(document, arguments, console)
  }
}
