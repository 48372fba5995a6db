// headlamp train-model: a small transformer that can do the given tasks.

import CircuitDiscovery
import Files
import Tensors
import Transformers

/// Trains a model on the prompts of task specs.
enum TrainModelCommand: Subcommand {
  static let name = "train-model"
  static let summary = "train a small transformer on the prompts of tasks"
  static let discussion = """
    Makes a word-level vocabulary from the tasks, trains a transformer on a random mixture of their prompts, and
    writes a model folder: config.json, model.safetensors, tokenizer.json, and training.json with the settings, the
    loss curve and the accuracies. Positive prompts are trained on their answers (weight 1) and on their own text
    (--text-weight); in negative prompts the right and wrong answers of their pair are equally likely. Tasks are drawn
    in equal parts first, later more often the more they err.

    One pair of prompts in ten, by a hash of the positive's tokens, is held out: accuracies are shares of held-out
    prompts whose most likely next token is a right answer.

    An interrupted training leaves checkpoint.safetensors in the folder; the same command with --resume goes on as if
    nothing had happened. The same command line gives the same bytes on the same kind of machine.
    """
  static let positionals = [
    Positional("TASK", .repeated, help: "tasks, by name or by the path of a task.json")
  ]
  static let output = Option<String>("output", "DIR", help: "the model folder to write")
  static let from = Option<String>(
    "from", "DIR", help: "go on with the model of this folder, in place of a new one; its tokenizer is kept")
  static let layers = Option<Int>("layers", "N", default: 4, help: "blocks")
  static let heads = Option<Int>("heads", "N", default: 8, help: "attention heads in a block")
  static let modelWidth = Option<Int>("d-model", "N", default: 64, help: "width of the residual stream")
  static let headWidth = Option<Int>("d-head", "N", help: "width of a head (default d-model / heads)")
  static let mlpWidth = Option<Int>("d-mlp", "N", help: "neurons in a block (default 4 x d-model)")
  static let attentionOnly = Flag("attention-only", help: "blocks without MLPs")
  static let keyValueHeads = Option<Int>(
    "kv-heads", "N", help: "key and value heads in a block, shared by groups of query heads (default heads)")
  static let rotary = Flag("rotary", help: "rotary positions in place of learned ones")
  static let gated = Flag("gated", help: "gated MLPs, with SiLU")
  static let parallel = Flag("parallel", help: "attention and MLP side by side")
  static let norm = Option<String>(
    "norm", "KIND", default: "layer", help: "norms of the residual stream: layer, rms or none")
  static let steps = Option<Int>("steps", "N", default: 3000, help: "updates of the parameters")
  static let batch = Option<Int>("batch", "N", default: 64, help: "prompts in a batch")
  static let learningRate = Option<Double>(
    "learning-rate", "X", default: 0.002, help: "the largest learning rate; it warms up and decays")
  static let weightDecay = Option<Double>("weight-decay", "X", default: 0.01, help: "AdamW's weight decay")
  static let pairs = Option<Int>(
    "pairs", "N", default: 12_000, help: "pairs of prompts made for each task, held-out ones included")
  static let textWeight = Option<Double>(
    "text-weight", "X", default: 0.1, help: "weight of predicting a prompt's own words; an answer's is 1")
  static let seed = Option<UInt64>("seed", "N", default: 0, help: "seed of parameters, prompts and batches")
  static let evaluateEvery = Option<Int>(
    "evaluate-every", "N", default: 250, help: "steps between accuracies")
  static let checkpointEvery = Option<Int>(
    "checkpoint-every", "N", default: 500, help: "steps between checkpoints")
  static let resume = Flag("resume", help: "go on from the folder's checkpoint")
  static let options: [any OptionDeclaration] = [
    output, from, layers, heads, modelWidth, headWidth, mlpWidth, attentionOnly, keyValueHeads, rotary, gated,
    parallel, norm, codebook, codes, active, activeFrom, activeSteps, similarity, commitment, replaceEvery,
    codesFollow, codePrice, merges, steps, batch, learningRate, weightDecay, pairs, textWeight, seed,
    evaluateEvery,
    checkpointEvery, resume,
  ]
  static let examples = [
    Example(
      "headlamp train-model ioi --from Circuits/default-model --codebook heads --codes 200 --output with-codes",
      "codebooks added to a model that exists"),
    Example(
      "headlamp train-model induction --output small-model --layers 2 --heads 4 --steps 600",
      "a two-layer model that continues repeated sequences, in under a minute"),
  ]

  static func run(_ arguments: ParsedArguments, console: Console) throws {
    guard !arguments.positionals.isEmpty else {
      throw UsageError.missingPositional(name: "TASK", command: name)
    }
    let folder = try arguments.required(output)
    var plan = try plan(arguments)
    var start = TrainingStart.fresh
    var codebooks: CodebookConfiguration?
    if let source = arguments[from] {
      let configuration = try Transformer.configuration(ofFolder: source)
      try checkFineTuning(arguments, configuration)
      plan = plan.sized(as: configuration)
      codebooks = configuration.codebooks
      start = .folder(source)
    }
    try checkCodebookOptions(arguments, codebooks)
    try checkMerging(plan, codebooks)
    let checkpointInterval = try positive(checkpointEvery, arguments)
    let library = TaskLibrary.bundled()
    let tasks = try arguments.positionals.map { try library.task($0) }
    try claimFolder(folder)
    let checkpoint = folder + "/checkpoint.safetensors"
    if fileExists(at: checkpoint), !arguments[resume] {
      throw UsageError.invalid(
        "\(folder) holds an unfinished training: add --resume to go on, or remove \(checkpoint)")
    }
    console.progress("making prompts")
    var training = try ModelTraining(tasks: tasks, plan: plan, start: start)
    if arguments[resume] { try training.resume(from: checkpoint) }
    let commandLine = (["headlamp", name] + commandWords(arguments, plan)).joined(separator: " ")
    try train(&training, checkpoint: checkpoint, interval: checkpointInterval, console: console)
    try training.writeModel(to: folder, command: commandLine, version: headlampVersion)
    removeFile(checkpoint)
    console.endProgress()
    report(training, folder: folder, console: console)
  }

  private static func train(
    _ training: inout ModelTraining, checkpoint: String, interval: Int, console: Console
  ) throws {
    Interruption.note()
    defer { Interruption.stopNoting() }
    while !training.isFinished {
      try training.advance()
      let step = training.step
      if Interruption.isRequested {
        try training.writeCheckpoint(to: checkpoint)
        throw TrainingInterrupted(step: step, steps: training.plan.steps)
      }
      if step % interval == 0, !training.isFinished { try training.writeCheckpoint(to: checkpoint) }
      if step % 10 == 0 {
        console.progress("training", step, of: training.plan.steps, "steps", more: state(training))
      }
    }
  }

  private static func state(_ training: ModelTraining) -> String {
    let loss = training.history.latestLoss.map { $0.text(decimals: 3) } ?? "-"
    let accuracies = (training.history.examinations.last?.tasks ?? []).map { task in
      "\(task.task) \((100 * task.accuracy).text(decimals: 1)) %"
    }
    return (["loss \(loss)"] + accuracies).joined(separator: "  ")
  }

  private static func report(_ training: ModelTraining, folder: String, console: Console) {
    let tasks = training.history.examinations.last?.tasks ?? []
    let width = max(4, tasks.map(\.task.count).max() ?? 0)
    console.print("\("task".padded(to: width))  held-out  right  probability")
    for task in tasks {
      console.print(
        task.task.padded(to: width) + "  " + String(task.prompts).leftPadded(to: 8) + "  "
          + (100 * task.accuracy).text(decimals: 1).leftPadded(to: 4) + "%  "
          + task.rightMass.text(decimals: 3).leftPadded(to: 10))
    }
    console.print("wrote \(folder)")
  }

  /// The settings that options ask for.
  private static func plan(_ arguments: ParsedArguments) throws -> ModelTrainingPlan {
    var plan = ModelTrainingPlan()
    plan.layers = try positive(layers, arguments)
    plan.heads = try positive(heads, arguments)
    plan.modelWidth = try positive(modelWidth, arguments)
    plan.headWidth = arguments.isGiven(headWidth) ? try positive(headWidth, arguments) : nil
    plan.mlpWidth = arguments.isGiven(mlpWidth) ? try positive(mlpWidth, arguments) : 4 * plan.modelWidth
    if arguments[attentionOnly] {
      guard !arguments.isGiven(mlpWidth) else {
        throw UsageError.invalid("--attention-only leaves no MLP for --d-mlp")
      }
      plan.mlpWidth = 0
    }
    guard plan.headWidth != nil || plan.modelWidth % plan.heads == 0 else {
      throw UsageError.invalid(
        "--heads \(plan.heads) does not divide --d-model \(plan.modelWidth); give --d-head too")
    }
    plan.style = try style(arguments, plan)
    plan.codebooks = try codebooks(arguments, plan)
    plan.codes = try codeTraining(arguments)
    plan.steps = try positive(steps, arguments)
    plan.batch = try positive(batch, arguments)
    plan.learningRate = try arguments.required(learningRate)
    plan.weightDecay = try arguments.required(weightDecay)
    plan.seed = try arguments.required(seed)
    plan.corpus.pairs = try positive(pairs, arguments)
    plan.corpus.textWeight = try arguments.required(textWeight)
    plan.evaluationInterval = try positive(evaluateEvery, arguments)
    guard plan.learningRate > 0 else { throw UsageError.invalid("--learning-rate must be above 0") }
    guard plan.weightDecay >= 0 else { throw UsageError.invalid("--weight-decay must not be below 0") }
    guard plan.corpus.textWeight >= 0 else { throw UsageError.invalid("--text-weight must not be below 0") }
    return plan
  }

  /// What differs from GPT-2.
  private static func style(_ arguments: ParsedArguments, _ plan: ModelTrainingPlan) throws -> ModelStyle {
    var style = ModelStyle()
    if arguments.isGiven(keyValueHeads) {
      let count = try positive(keyValueHeads, arguments)
      guard plan.heads % count == 0 else {
        throw UsageError.invalid("--kv-heads \(count) does not divide --heads \(plan.heads)")
      }
      style.keyValueHeads = count
    }
    style.hasRotaryPositions = arguments[rotary]
    style.hasGatedMLPs = arguments[gated]
    style.isParallel = arguments[parallel]
    for flag in [gated, parallel] where arguments[flag] && plan.mlpWidth == 0 {
      throw UsageError.invalid("--\(flag.name) needs MLPs, which --attention-only leaves out")
    }
    let name = try arguments.required(norm)
    guard let kind = ModelStyle.Norm(rawValue: name) else {
      throw UsageError.invalid("--norm is layer, rms or none, not '\(name)'")
    }
    style.norm = kind
    return style
  }

  /// Refuses options that say how a new model is made, and codebooks where there is no place for them.
  private static func checkFineTuning(
    _ arguments: ParsedArguments, _ configuration: TransformerConfiguration
  ) throws {
    let sizes: [any OptionDeclaration] = [
      layers, heads, modelWidth, headWidth, mlpWidth, attentionOnly, keyValueHeads, rotary, gated, parallel,
      norm,
    ]
    if let option = sizes.first(where: { arguments.isGiven($0) }) {
      throw UsageError.invalid("--from keeps the model as it is: --\(option.name) has nothing to say")
    }
    if configuration.mlp == .none, let places = arguments[codebook], places != "heads" {
      throw UsageError.invalid("--codebook \(places) needs MLPs, and this model has attention only")
    }
  }

  static func positive(_ option: Option<Int>, _ arguments: ParsedArguments) throws -> Int {
    let value = try arguments.required(option)
    guard value > 0 else { throw UsageError.invalid("--\(option.name) must be above 0, not \(value)") }
    return value
  }

  /// The words that repeat this training: tasks, then every setting that is not the default.
  private static func commandWords(_ arguments: ParsedArguments, _ plan: ModelTrainingPlan) -> [String] {
    let given: [(any OptionDeclaration, String?)] = [
      (from, arguments[from]), (layers, "\(plan.layers)"), (heads, "\(plan.heads)"),
      (modelWidth, "\(plan.modelWidth)"),
      (headWidth, plan.headWidth.map { "\($0)" }), (mlpWidth, "\(plan.mlpWidth)"), (attentionOnly, nil),
      (keyValueHeads, plan.style.keyValueHeads.map { "\($0)" }), (rotary, nil), (gated, nil),
      (parallel, nil), (norm, plan.style.norm.rawValue), (codebook, arguments[codebook]),
      (codes, plan.codebooks.map { "\($0.codes)" }), (active, plan.codebooks.map { "\($0.active)" }),
      (activeFrom, plan.codes.activeDecline.map { "\($0.first)" }),
      (activeSteps, plan.codes.activeDecline.map { "\($0.steps)" }),
      (similarity, plan.codebooks?.similarity.rawValue), (commitment, "\(plan.codes.commitment)"),
      (replaceEvery, "\(plan.codes.replacementInterval)"), (codesFollow, "\(plan.codes.following)"),
      (codePrice, plan.codes.merging.map { "\($0.price)" }),
      (merges, plan.codes.merging.map { "\($0.times)" }), (steps, "\(plan.steps)"), (batch, "\(plan.batch)"),
      (learningRate, "\(plan.learningRate)"),
      (weightDecay, "\(plan.weightDecay)"), (pairs, "\(plan.corpus.pairs)"),
      (textWeight, "\(plan.corpus.textWeight)"), (seed, "\(plan.seed)"),
      (evaluateEvery, "\(plan.evaluationInterval)"),
    ]
    return arguments.positionals
      + given.filter { arguments.isGiven($0.0) }.flatMap { option, value in
        ["--\(option.name)"] + (value.map { [$0] } ?? [])
      }
  }
}

/// A training that was asked to stop.
struct TrainingInterrupted: ExplainedError {
  var step: Int
  var steps: Int

  /// What shells report for a program that SIGINT ended.
  var exitCode: Int32 { 130 }

  var sentence: String {
    "stopped after step \(step) of \(steps); the same command with --resume goes on from there"
  }
}
