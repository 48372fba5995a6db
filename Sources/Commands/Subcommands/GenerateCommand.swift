// headlamp generate: the prompts of a task, as JSON lines.

import CircuitDiscovery
import Files
import FoundationEssentials

/// Writes a task's prompts.
enum GenerateCommand: Subcommand {
  static let name = "generate"
  static let summary = "write the prompts of a task as JSON lines"
  static let discussion = """
    Makes N positive prompts of a task, each followed by its own negative, with words that are one token under the \
    model's tokenizer. A line holds the prompt (or token ids, for a model without a tokenizer), its label (1 for a \
    positive), the answer or answers, wrong answers, the number of the pair, and named token positions that do not \
    count a beginning-of-sequence token. The same seed gives the same bytes. Words that are left out are reported.
    """
  static let positionals = [Positional("TASK", help: "a bundled task, a folder with a task.json, or a spec")]
  static let model = Option<String>(
    "model", "DIR",
    help:
      "the model's folder (default: the bundled model); its tokenizer.json or config.json is read, no weights"
  )
  static let output = Option<String>("output", "FILE", help: "where to write (default: standard output)")
  static let examples = [
    Example(
      "headlamp generate ioi --examples 3",
      "three positives and their negatives, in words of the bundled model"),
    Example(
      "headlamp generate greater-than --model gpt2 --seed 7 --output prompts.jsonl",
      "250 pairs in a file that 'record' reads"),
  ]
  static let seed = Option<UInt64>("seed", "N", default: 0, help: "the seed of every random choice")
  static let options: [any OptionDeclaration] = [model, output, PromptOptions.examples, seed]

  static func run(_ arguments: ParsedArguments, console: Console) throws {
    let library = TaskLibrary.bundled()
    let task = try library.task(arguments.positionals[0])
    let limits = try PromptLimits(
      modelFolder: arguments[model] ?? PromptOptions.bundledModel(in: library))
    let seed = arguments[seed] ?? 0
    let generated = try task.prompts(
      examples: PromptOptions.count(arguments), seed: seed, limits: limits)
    // What a model could not read is refused here rather than when it is run.
    _ = try PromptSet(generated.prompts, task: task.name, seed: seed, limits: limits)
    for note in generated.notes { console.note(note) }
    guard let path = arguments[output] else {
      console.print(String(promptLines(generated.prompts).dropLast()))
      return
    }
    try writeFile(promptLines(generated.prompts), to: path)
    console.note("\(generated.prompts.count) prompts of \(task.name) written to \(path)")
  }
}

extension GeneratedPrompts {
  /// What a user should know about how the prompts were made, a line each.
  var notes: [String] {
    var notes = dropped.map { list in
      let words = list.words.prefix(5).joined(separator: ", ") + (list.words.count > 5 ? ", …" : "")
      return "\(list.words.count) words of list '\(list.name)' are not one token and were left out: \(words)"
    }
    if duplicates > 0 { notes.append("\(duplicates) positives repeat others: the task has no more") }
    return notes
  }
}
