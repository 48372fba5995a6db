// The default way of headlamp discover: heads by what their codes do to the answer.

import CausalMethods
import CircuitDiscovery
import Files
import Recordings
import Reports
import SparseAutoencoders
import Tensors
import Transformers

/// Trains a dictionary on all heads' outputs, attributes the answer to its codes, and writes what was found.
enum AttributionDiscovery {
  static let replacement = Option<HeadQuestion>(
    "replace", "WITH", default: .pair,
    help: "what stands in for a head: pair (its value in the prompt's own negative) or mean (over negatives)")
  static let steps = Option<Int>(
    "steps", "N",
    help:
      "Gauss-Legendre points of integrated gradients, 0 for the gradient of the plain run (default 3; 2 for models of more "
      + "than 10 million parameters)")
  static let attributionExamples = Option<Int>(
    "attribution-examples", "N",
    help: "positive prompts to attribute (default: all; 16 for models of more than 10 million parameters)")
  static let leastShare = Option<Double>(
    "least-share", "X", default: 0.05,
    help: "the least attribution of a head in the circuit, as a share of the metric")
  static let dictionaries = Option<Int>(
    "dictionaries", "N",
    help:
      "how many dictionaries to train, with seeds counted up: scores are their mean and intervals include what changes from "
      + "one to another (default 3; 1 for models of more than 10 million parameters)")
  static let ablationExamples = Option<Int>(
    "ablation-examples", "N",
    help:
      "positive prompts to ablate the best codes on, beside random codes and whole heads, for code-ablation.csv (default 50; "
      + "0, which is none, for models of more than 10 million parameters)")
  static let figureExamples = Option<Int>(
    "figure-examples", "N",
    help:
      "positive prompts to measure edges, direct contributions and the curve of heads kept on, for figures (default 32; 0, "
      + "which is none, for models of more than 10 million parameters)")
  static let dictionary = Option<DictionarySource>(
    "dictionary", "WHERE", default: .trained,
    help:
      "where codes come from: trained on heads' outputs, or codebook, the model's own codes (train-model --codebook)"
  )
  static let options: [any OptionDeclaration] = [
    dictionary, replacement, steps, attributionExamples, figureExamples, leastShare, dictionaries,
    ablationExamples,
    DictionaryOptions.batchTopK,
  ]

  /// The options that say how a dictionary is trained and judged.
  static let trainedOptions: [any OptionDeclaration] = [
    dictionaries, ablationExamples, DictionaryOptions.batchTopK, TrainCommand.features, TrainCommand.topK,
    DiscoverCommand.lambda, DiscoverCommand.epochs, DiscoverCommand.learningRate,
  ]

  static func run(
    _ arguments: ParsedArguments, _ loaded: PromptOptions.Loaded, folder: String, namedTruth: GroundTruth?,
    stages: inout StageTimes, console: Console
  ) throws {
    let seed = loaded.prompts.seed
    let settings = try settings(arguments)
    let (path, cut) = (
      try pathOptions(arguments, isLarge: isLarge(loaded.model), seed: seed), try cut(arguments)
    )
    let trainedCount = try count(
      arguments, dictionaries, from: 1, default: isLarge(loaded.model) ? 1 : 3)
    let ablated = try count(
      arguments, ablationExamples, from: 0, default: isLarge(loaded.model) ? 0 : 50)
    let pictured = try count(
      arguments, figureExamples, from: 0, default: isLarge(loaded.model) ? 0 : 32)
    let all = try loaded.prompts.causalTask(needsPairs: path.replacement == .pair)
    try all.requireAnswers()
    let task = all.selecting(Array(all.clean.indices.prefix(try promptCount(arguments, loaded, all))))
    try requireMemory(for: task.clean.count, settings.features, loaded.model)
    try claimFolder(folder)
    let recorder = HeadRecorder(loaded)
    stages.finish("load")
    let recording = try recorder.recordOrStop(
      loaded.prompts, position: arguments[DiscoverCommand.position] ?? .named("answer"),
      to: folder + "/recording.h5", console: console)
    stages.finish("record")
    let samples = try loaded.model.sampleHeadOutputs(all, count: settings.samples, seed: seed)
    let scales = samples.scales
    let scaled = samples.scaled(by: scales)
    let trained = (0..<trainedCount).map { number in
      trainDictionary(on: scaled, settings, seed: seed &+ UInt64(number)) { done, total in
        if done % 50 == 0 {
          console.progress(
            "training dictionary \(number + 1) of \(trainedCount)", done, of: total, "steps")
        }
      }
    }
    stages.finish("train")
    let odd = try OddPromptNotice(
      recording, trainedOn: samples.prompts, seed: seed, savingTo: folder + "/normality.safetensors")
    let active = meanActiveCodes(trained[0].dictionary, scaled)
    let nulls: [CodeDictionary] = [
      .random(
        features: settings.features, width: loaded.model.configuration.dModel,
        activeFeatures: max(1, Int(active.rounded())), seed: seed),
      .untrained(features: settings.features, width: loaded.model.configuration.dModel, seed: seed),
      .kMeans(samples: scaled, scales: scales, features: settings.features, seed: seed),
    ]
    let found = try loaded.model.attributeCodes(
      task, path, dictionaries: trained.map { CodeDictionary($0.dictionary, scales: scales) } + nulls
    ) { done, total in
      console.progress("attributing", done, of: total, "layers")
    }
    let native = try loaded.model.attributeNativeCodes(task, path)
    stages.finish("attribute")
    let own = Array(found.attributions.prefix(trainedCount))
    let nullAttributions = Array(found.attributions.dropFirst(trainedCount))
    let ranking = CodeRanking(
      own, metric: found.metric, headsPerLayer: loaded.model.configuration.heads, cut: cut,
      seed: seed)
    let curves = try loaded.model.ablationCurves(
      task.selecting(Array(task.clean.indices.prefix(ablated))),
      ablated == 0 ? [] : [own[0]] + nullAttributions,
      replacement: path.replacement, seed: seed
    ) { done, total in console.progress("ablating codes", done, of: total, "runs") }
    stages.finish("ablate")
    let truth =
      try namedTruth
      ?? loaded.task?.measuredTruth(of: recorder.identity, replacement: path.replacement.rawValue)
    let judged = try Judgement(
      ranking, nulls: nullAttributions, curves: curves, recording, truth: truth, path: folder + "/heads.csv",
      seed: seed)
    let shown = ranking.heads.prefix(max(cut.top, ranking.heads.count { $0.isInCircuit }))
    let cards = try own[0].cards(
      loaded.model, task, heads: shown.map { $0.layer * ranking.headsPerLayer + $0.head }, seed: seed)
    let words = TokenWords(modelFolder: loaded.folder)
    let report = AttributionReport(
      ranking: ranking, cards: cards, words: words, truth: truth, judged: judged, activeCodes: active,
      curves: curves)
    try trained[0].dictionary.save(
      to: folder + "/dictionary.safetensors", headScales: scales,
      metadata: [
        "created_by": "headlamp \(headlampVersion) discover",
        "model_sha256": try recorder.identity.weightsSHA256,
        "task": loaded.prompts.task, "seed": String(seed), "lambda": "\(settings.sparsity.weight)",
        "steps": "\(settings.steps)", "samples": "\(settings.samples)",
      ])
    try report.headsTable().write(to: folder + "/heads.csv")
    try report.pairsTable().write(to: folder + "/pairs.csv")
    if let native { try NativeCodeTable(native).document.write(to: folder + "/native-codes.csv") }
    try report.codesTable().write(to: folder + "/codes.csv")
    try report.codePairsTable(own[0]).write(to: folder + "/code-pairs.csv")
    if !curves.isEmpty { try report.ablationTable().write(to: folder + "/code-ablation.csv") }
    try writeFile(
      report.summary(
        loaded, recorder.identity, recording, path,
        dictionary: [
          JSONMember("dictionary", .string(DictionarySource.trained.rawValue)),
          JSONMember("features", .integer(settings.features)),
          JSONMember("sparsity", .string(settings.sparsity.text)),
          JSONMember("lambda", .number(settings.sparsity.weight)),
          JSONMember("dictionary_steps", .integer(settings.steps)),
          JSONMember("last_loss", .number(trained[0].losses.last ?? 0)),
        ], prompts: task.clean.count
      ).adding("odd_prompts", odd?.value).text(), to: folder + "/summary.json")
    let figures = DiscoveryFigureFiles(
      model: loaded.model, task: task, words: words, folder: folder, replacement: path.replacement, seed: seed
    )
    try figures.writeTraining(trained.map(\.losses))
    try figures.writePrompts()
    try figures.writeContexts(cards, own[0].dictionary)
    try figures.writeAttention(
      ranking.heads.prefix(8).map { HeadIndex(layer: $0.layer, head: $0.head) },
      prompts: isLarge(loaded.model) ? 1 : 2)
    if pictured > 0 {
      try figures.writeDirect(prompts: pictured)
      try figures.writeEdges(prompts: pictured)
      try figures.writeCurve(ranking.scores, prompts: pictured)
    }
    try ReportCommand.write(arguments, folder: folder, console: console)
    stages.finish("report")
    console.endProgress()
    for line in report.lines(question: path.replacement) { console.print(line) }
    if let native {
      for line in NativeCodeTable(native).lines(beside: ranking) { console.print(line) }
    }
    if let line = odd?.line { console.print(line) }
    console.note("\(stages.text): \(folder)")
  }

  static func count(
    _ arguments: ParsedArguments, _ option: Option<Int>, from least: Int, default usual: Int
  ) throws -> Int {
    let count = arguments[option] ?? usual
    guard count >= least else {
      throw UsageError.invalid("--\(option.name) must be at least \(least), not \(count)")
    }
    return count
  }

  private static func settings(_ arguments: ParsedArguments) throws -> DictionarySettings {
    var settings = DictionarySettings()
    settings.features = arguments[TrainCommand.features] ?? settings.features
    settings.sparsity = try DictionaryOptions.sparsity(
      arguments, lambda: arguments[DiscoverCommand.lambda], features: settings.features)
    settings.steps = arguments[DiscoverCommand.epochs] ?? settings.steps
    settings.learningRate = arguments[DiscoverCommand.learningRate] ?? settings.learningRate
    try settings.validate()
    return settings
  }

  static func pathOptions(
    _ arguments: ParsedArguments, isLarge: Bool, seed: UInt64
  ) throws -> HeadPathOptions {
    var options = HeadPathOptions()
    options.replacement = (arguments[replacement] ?? .pair).sourceReplacement
    options.steps = arguments[steps] ?? (isLarge ? 2 : 3)
    options.seed = seed
    guard (0...1000).contains(options.steps) else {
      throw UsageError.invalid("--steps is \(options.steps); allowed is 0 to 1000")
    }
    return options
  }

  static func cut(_ arguments: ParsedArguments) throws -> CircuitCut {
    var cut = CircuitCut()
    cut.leastShare = arguments[leastShare] ?? cut.leastShare
    guard cut.leastShare >= 0, cut.leastShare.isFinite else {
      throw UsageError.invalid("--least-share must be 0 or more, not \(cut.leastShare)")
    }
    return cut
  }

  static func promptCount(
    _ arguments: ParsedArguments, _ loaded: PromptOptions.Loaded, _ task: CausalTask
  ) throws -> Int {
    if let count = arguments[attributionExamples] {
      guard count >= 2 else {
        throw UsageError.invalid("--attribution-examples must be at least 2, not \(count)")
      }
      return count
    }
    return isLarge(loaded.model) ? 16 : task.clean.count
  }

  /// Refuses scores of codes, prompt by prompt, that would take gigabytes.
  private static func requireMemory(for prompts: Int, _ features: Int, _ model: Transformer) throws {
    let most = 1 << 27
    guard prompts * model.configuration.headCount * features > most else { return }
    throw UsageError.invalid(
      "\(prompts) prompts × \(model.configuration.headCount) heads × \(features) codes are more scores than the "
        + "\(most) that are kept; lower --features or --attribution-examples")
  }

  /// Whether a model has more than ten million parameters in its blocks, by twelve squares of the width, as is usual.
  static func isLarge(_ model: Transformer) -> Bool {
    12 * model.configuration.layers * model.configuration.dModel * model.configuration.dModel > 10_000_000
  }

  private static func meanActiveCodes(_ dictionary: SparseDictionary, _ samples: Tensor) -> Double {
    let part = samples.rows(0..<min(2048, samples.shape[0]))
    let activations = dictionary.activations(of: part).values
    return Double(activations.count { $0 > 0 }) / Double(part.shape[0])
  }
}

extension HeadQuestion: ArgumentValue {}

/// Where the codes of a discovery come from.
enum DictionarySource: String, CaseIterable, ArgumentValue {
  /// A dictionary trained on what heads write.
  case trained
  /// The model's own codebooks.
  case codebook
}
