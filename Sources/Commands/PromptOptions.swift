// The options of every subcommand that runs a model on a task's prompts, and what they mean.

import CircuitDiscovery
import Files
import FoundationEssentials
import Recordings
import Tensors
import Transformers

/// Which prompts, and which model reads them.
enum PromptOptions {
  static let task = Positional(
    "TASK",
    help:
      "a bundled task, a folder with a task.json, a spec, or a file of prompts (.jsonl, .json, .csv, .tsv; - for "
      + "standard input)")
  static let model = Option<String>("model", "DIR", help: "the model's folder (default: the bundled model)")
  static let examples = Option<Int>(
    "examples", "N",
    help: "the number of positive prompts (default 250; all where prompts are given literally)")
  static let seed = Option<UInt64>("seed", "N", default: 0, help: "the seed of every random choice")
  static let bos = Option<BeginningOfSequence>(
    "bos", "on|off|auto", default: .auto, help: "whether prompts start with the beginning-of-sequence token")

  static let all: [any OptionDeclaration] = [model, examples, seed, bos]

  /// Prompts, and which model is to read them.
  struct Read {
    var folder: String
    /// Which model that is, its weights being read meanwhile.
    var identity: Background<ModelIdentity>
    var prompts: PromptSet
    /// The spec; nil for a file of prompts.
    var task: TaskSpec?
    /// What a user should know about how the prompts were made.
    var notes: [String]

    /// What decides a result beside the options: parts of one result agree in it.
    func facts() throws -> [ShardManifest.Fact] {
      let beginning = prompts.beginningToken.map(String.init) ?? "none"
      return [
        ShardManifest.Fact("tool", "headlamp \(headlampVersion)"),
        ShardManifest.Fact("task", prompts.task),
        ShardManifest.Fact("model_sha256", try identity.value.weightsSHA256),
        ShardManifest.Fact("seed", "\(prompts.seed)"),
        ShardManifest.Fact("beginning_token", beginning),
        ShardManifest.Fact("inputs_sha256", prompts.digest),
      ]
    }
  }

  /// A model with the prompts it is to read.
  @dynamicMemberLookup
  struct Loaded {
    var read: Read
    var model: Transformer

    subscript<Value>(dynamicMember path: KeyPath<Read, Value>) -> Value { read[keyPath: path] }

    /// See `Read`.
    func facts() throws -> [ShardManifest.Fact] { try read.facts() }
  }

  /// The number of positives that was asked for; nil for the task's own default.
  /// - Throws: `UsageError` for a number below one.
  static func count(_ arguments: ParsedArguments) throws(UsageError) -> Int? {
    let count = arguments[examples]
    if let count, count < 1 { throw .invalid("--examples must be at least 1, not \(count)") }
    return count
  }

  /// Reads the task, makes its prompts and opens the model.
  static func load(_ arguments: ParsedArguments) throws -> Loaded {
    let read = try read(arguments)
    return Loaded(read: read, model: try Transformer(folder: read.folder))
  }

  /// The folder of the model that is named, or that comes with the program.
  static func folder(_ arguments: ParsedArguments) throws -> String {
    try arguments[model] ?? bundledModel(in: TaskLibrary.bundled())
  }

  /// Reads the task and makes its prompts.
  static func read(_ arguments: ParsedArguments) throws -> Read {
    let library = TaskLibrary.bundled()
    let folder = try folder(arguments)
    let limits = try PromptLimits(modelFolder: folder)
    let identity = Background { try ModelIdentity(folder: folder) }
    let seed = arguments[seed] ?? 0
    let beginning = arguments[bos] ?? .auto
    let name = arguments.positionals[0]
    let count = try count(arguments)
    if PromptFile.isPromptFile(name) {
      let file = try PromptFile(path: name)
      let prompts = try PromptSet(
        count.map { firstPrompts(file.prompts, positives: $0) } ?? file.prompts, task: file.path, seed: seed,
        limits: limits, beginning: beginning)
      return Read(folder: folder, identity: identity, prompts: prompts, notes: notes(on: file, limits))
    }
    let task = try library.task(name)
    let generated = try task.prompts(examples: count, seed: seed, limits: limits)
    let prompts = try PromptSet(
      generated.prompts, task: task.name, seed: seed, metric: task.metric, limits: limits,
      beginning: beginning)
    return Read(folder: folder, identity: identity, prompts: prompts, task: task, notes: generated.notes)
  }

  /// What is not seen at once: fields that were not read, and answers of several tokens.
  private static func notes(on file: PromptFile, _ limits: PromptLimits) -> [String] {
    var notes: [String] = []
    if !file.ignored.isEmpty {
      let names = file.ignored.map { "'\($0)'" }.joined(separator: ", ")
      notes.append("\(file.path): not read: \(names)")
    }
    let long = file.prompts.count { prompt in
      prompt.isPositive && (AnswerSequences(checking: prompt, limits)?.areLong ?? false)
    }
    if long > 0 {
      notes.append(
        "answers of several tokens to \(long) prompts are scored by the sum of their log-probabilities; "
          + "'headlamp check' shows them, and where they begin to differ")
    }
    return notes
  }

  /// The folder of the model that comes with the program.
  static func bundledModel(in library: TaskLibrary) throws -> String {
    guard let circuits = library.folder else {
      throw UsageError.invalid(
        "the bundled model was not found; name a model with --model, or its folder's parent in HEADLAMP_CIRCUITS"
      )
    }
    return circuits + "/default-model"
  }
}

extension BeginningOfSequence: ArgumentValue {}

extension RecordedPosition: ArgumentValue {
  init?(argument: String) {
    guard !argument.isEmpty else { return nil }
    self.init(text: argument)
  }
  static var expectation: String { "mean, last, answer, each or a position that the task names" }
  var argumentText: String { text }
}
