// headlamp probe: what heads and layers of a recording know about their prompts.

import Files
import Probes
import Recordings
import Reports

/// Fits probes to every place of a recording.
enum ProbeCommand: Subcommand {
  static let name = "probe"
  static let summary = "ask every head and layer of a recording what it knows (linear probes, naive Bayes)"
  static let discussion = """
    Fits two classifiers to the outputs of every head, and of every layer's heads together, at each position that the
    recording keeps apart: logistic regression, whose L2 penalty parts of the training prompts choose that are held out in
    turn, and Gaussian naive Bayes, which needs fewer examples. What they say of prompts is what --target names: the
    label, the length, token:P (the token at position P; -1 is the last), or a field of --fields FILE, which has a record
    for each prompt in the recording's order (a table or JSON lines, such as 'generate' writes). Values that fewer than
    10 prompts have are left out.

    Accuracies are of three tenths of the prompts, which are held out; pairs and prompts of equal tokens stay on one side.
    Selectivity is accuracy above that of a control task: a random class for each kind of prompt, drawn in the shares of
    the real ones, so that only learning by heart does it. A kind is the token at some position (chosen and said; each
    position's own where positions are kept apart) or what --control names.

    Learning curves give both accuracies for 2, 4, 8, … prompts of each class, and where logistic regression catches up
    with naive Bayes. With --model, directions are told by the tokens whose logits they raise and lower most.
    Writes probes.csv, learning-curves.csv, directions.csv and summary.json.

    --probe key-value learns the classes one after the other, a few a phase, by a bottleneck of keys that were set without
    labels and values that are learned (Träuble et al. 2022), beside a linear probe that sees the same prompts in the same
    order and forgets. It says which keys decided, and writes key-value.csv, phases.csv, keys.csv and summary.json.
    """
  static let positionals = [Positional("RECORDING", help: "what 'record' or 'discover' wrote")]
  static let target = Option<String>(
    "target", "FIELD", default: "label", help: "label, length, token:P or a field of --fields")
  static let fields = Option<String>(
    "fields", "FILE", help: "a table or JSON lines with a record for each prompt")
  static let probe = Option<ProbeName>("probe", "NAME", default: .linear, help: "linear or key-value")
  static let classesPerPhase = Option<Int>(
    "classes-per-phase", "N",
    help: "key-value: classes learned at once (default: 1 of up to three classes, else 2)")
  static let codebooks = Option<Int>("codebooks", "N", help: "key-value: codebooks of keys (default 64)")
  static let keys = Option<Int>(
    "keys", "N", help: "key-value: keys of a codebook, at most one for each four prompts (default 64)")
  static let control = Option<String>(
    "control", "FIELD", default: "auto",
    help: "what kind a prompt is of, for the control task: auto, none, or a field as for --target")
  static let model = Option<String>(
    "model", "DIR", help: "the folder of the model that was recorded, to tell directions by tokens")
  static let positions = Option<Int>(
    "positions", "N", help: "probe the last N positions of a recording that keeps them apart (default: all)")
  static let draws = Option<Int>(
    "draws", "N", default: 5, help: "draws of training prompts at each point of learning curves, 0 for none")
  static let output = Option<String>(
    "output", "DIR", help: "the folder to write; nothing is written without it")
  static let seed = Option<UInt64>("seed", "N", default: 0, help: "the seed of every random choice")
  static let options: [any OptionDeclaration] =
    [
      target, fields, probe, control, model, positions, draws, classesPerPhase, codebooks, keys, output, seed,
    ] + ReportCommand.choices
  static let examples = [
    Example("headlamp probe ioi.h5 --output results/probe", "which heads tell a prompt from its negative"),
    Example(
      "headlamp probe ioi.h5 --target token:-3 --model gpt2 --output results/verb",
      "which heads know the third token from the end, and in which direction they say it"),
    Example(
      "headlamp probe ioi.h5 --target token:3 --probe key-value",
      "names learned one after the other, two at a time"),
  ]

  static func run(_ arguments: ParsedArguments, console: Console) throws {
    let options = try probeOptions(arguments)
    let name = arguments[probe] ?? .linear
    for option in name == .linear
      ? [classesPerPhase, codebooks, keys] : [control, draws] as [any OptionDeclaration]
    where arguments.isGiven(option) {
      throw UsageError.invalid("--\(option.name) has no meaning for --probe \(name.rawValue)")
    }
    if arguments[output] == nil {
      for option in ReportCommand.choices where arguments.isGiven(option) {
        throw UsageError.invalid("--\(option.name) goes with --output")
      }
    }
    let question = try ProbeQuestion(arguments)
    let probes = try PlaceProbes(
      question.recording, question.target, groups: question.fields.groups, kinds: question.kinds,
      positions: arguments[positions])
    try probes.requireSplits(options)
    if let folder = arguments[output] { try claimFolder(folder) }
    guard name == .linear else {
      try learn(question, probes, arguments, options, console)
      return
    }
    let found = try probes.run(options) { done, total in
      console.progress("probing", done, of: total, "places")
    }
    console.endProgress()
    let report = ProbeReport(question: question, found: found, options: options)
    let directions = try question.directions(of: report.best(30))
    if let folder = arguments[output] {
      try report.probesTable().write(to: folder + "/probes.csv")
      if options.curveDraws > 0 { try report.curvesTable().write(to: folder + "/learning-curves.csv") }
      if !directions.isEmpty { try directions.table().write(to: folder + "/directions.csv") }
      try writeFile(try report.summary().text(), to: folder + "/summary.json")
      try ReportCommand.write(arguments, folder: folder, console: console)
    }
    try console.result(report.summary())
    for line in question.lines + report.lines + directions.lines(of: report.best(3)) { console.print(line) }
    if let folder = arguments[output] { console.note("\(found.count) places probed: \(folder)") }
  }

  /// Key-value bottlenecks in place of linear probes.
  private static func learn(
    _ question: ProbeQuestion, _ probes: PlaceProbes, _ arguments: ParsedArguments, _ options: ProbeOptions,
    _ console: Console
  ) throws {
    var settings = KeyValueSettings()
    settings.codebooks = arguments[codebooks] ?? settings.codebooks
    settings.keys = arguments[keys] ?? settings.keys
    settings.seed = options.seed
    let classCount = question.target.classes.count
    let perPhase = arguments[classesPerPhase] ?? (classCount <= 3 ? 1 : 2)
    for (option, value, most) in [
      (classesPerPhase, perPhase, classCount), (codebooks, settings.codebooks, 10_000),
      (keys, settings.keys, 100_000),
    ] where !(1...most).contains(value) {
      throw UsageError.invalid("--\(option.name) is \(value); allowed is 1 to \(most)")
    }
    let report = try KeyValueReport(question, probes, classesPerPhase: perPhase, settings, options) {
      done, total in
      console.progress("learning", done, of: total, "places")
    }
    console.endProgress()
    if let folder = arguments[output] {
      try report.write(to: folder, seed: options.seed)
      try ReportCommand.write(arguments, folder: folder, console: console)
    }
    try console.result(report.summary(seed: options.seed))
    for line in question.lines.filter({ !$0.hasPrefix("control: ") }) + report.lines { console.print(line) }
    if let folder = arguments[output] { console.note("\(report.found.count) places probed: \(folder)") }
  }

  private static func probeOptions(_ arguments: ParsedArguments) throws -> ProbeOptions {
    var options = ProbeOptions()
    options.curveDraws = arguments[draws] ?? options.curveDraws
    guard (0...1000).contains(options.curveDraws) else {
      throw UsageError.invalid("--draws is \(options.curveDraws); allowed is 0 to 1000")
    }
    if let count = arguments[positions], count < 1 {
      throw UsageError.invalid("--positions must be at least 1, not \(count)")
    }
    options.seed = arguments[seed] ?? 0
    return options
  }
}

/// The kinds of probe.
enum ProbeName: String, CaseIterable, ArgumentValue {
  case linear
  case keyValue = "key-value"
}
