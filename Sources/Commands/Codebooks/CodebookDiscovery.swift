// headlamp discover --dictionary codebook: heads by what the model's own codes do to the answer.

import CausalMethods
import CircuitDiscovery
import Files
import Recordings
import Reports
import Tensors
import Transformers

/// Attributes the answer to the codes of heads' codebooks, and writes what was found.
enum CodebookDiscovery {
  static func run(
    _ arguments: ParsedArguments, _ loaded: PromptOptions.Loaded, folder: String, namedTruth: GroundTruth?,
    stages: inout StageTimes, console: Console
  ) throws {
    let seed = loaded.prompts.seed
    try check(arguments, loaded)
    let path = try AttributionDiscovery.pathOptions(
      arguments, isLarge: AttributionDiscovery.isLarge(loaded.model), seed: seed)
    let cut = try AttributionDiscovery.cut(arguments)
    let pictured = try AttributionDiscovery.count(
      arguments, AttributionDiscovery.figureExamples, from: 0,
      default: AttributionDiscovery.isLarge(loaded.model) ? 0 : 32)
    let all = try loaded.prompts.causalTask(needsPairs: true)
    try all.requireAnswers()
    let task = all.selecting(
      Array(all.clean.indices.prefix(try AttributionDiscovery.promptCount(arguments, loaded, all))))
    try claimFolder(folder)
    let recorder = HeadRecorder(loaded)
    stages.finish("load")
    let recording = try recorder.recordOrStop(
      loaded.prompts, position: arguments[DiscoverCommand.position] ?? .named("answer"),
      to: folder + "/recording.h5", console: console)
    stages.finish("record")
    guard
      let native = try loaded.model.attributeNativeCodes(
        task, path,
        progress: { done, total in console.progress("attributing", done, of: total, "layers") })
    else {
      throw UsageError.invalid(
        "answers of several tokens cannot be attributed to the model's own codes; leave out --dictionary codebook"
      )
    }
    stages.finish("attribute")
    let ranking = CodeRanking(native, headsPerLayer: loaded.model.configuration.heads, cut: cut, seed: seed)
    let truth =
      try namedTruth
      ?? loaded.task?.measuredTruth(of: recorder.identity, replacement: path.replacement.rawValue)
    let words = TokenWords(modelFolder: loaded.folder)
    let active = loaded.model.configuration.codebooks?.active ?? 0
    let report = AttributionReport(
      ranking: ranking, cards: [], words: words, truth: truth,
      judged: try Judgement(
        ranking, nulls: [], curves: [], recording, truth: truth, path: folder + "/heads.csv", seed: seed),
      activeCodes: Double(active), curves: [])
    try report.headsTable().write(to: folder + "/heads.csv")
    try report.pairsTable().write(to: folder + "/pairs.csv")
    try NativeCodeTable(native).document.write(to: folder + "/native-codes.csv")
    try writeFile(
      report.summary(
        loaded, recorder.identity, recording, path,
        dictionary: [
          JSONMember("dictionary", .string(DictionarySource.codebook.rawValue)),
          JSONMember("features", .integer(loaded.model.configuration.codebooks?.codes ?? 0)),
          JSONMember("codes_in_use", .integer(native.codes.count)),
        ], prompts: task.clean.count
      ).text(), to: folder + "/summary.json")
    let figures = DiscoveryFigureFiles(
      model: loaded.model, task: task, words: words, folder: folder, replacement: path.replacement, seed: seed
    )
    try figures.writePrompts()
    try figures.writeAttention(
      ranking.heads.prefix(8).map { HeadIndex(layer: $0.layer, head: $0.head) },
      prompts: AttributionDiscovery.isLarge(loaded.model) ? 1 : 2)
    if pictured > 0 {
      try figures.writeDirect(prompts: pictured)
      try figures.writeEdges(prompts: pictured)
      try figures.writeCurve(ranking.scores, prompts: pictured)
    }
    try ReportCommand.write(arguments, folder: folder, console: console)
    stages.finish("report")
    console.endProgress()
    for line in report.lines(question: path.replacement) { console.print(line) }
    console.print(NativeCodeTable(native).largest)
    console.note("\(stages.text): \(folder)")
  }

  private static func check(_ arguments: ParsedArguments, _ loaded: PromptOptions.Loaded) throws {
    guard loaded.model.configuration.codebookShape(.heads) != nil else {
      throw UsageError.invalid(
        "--dictionary codebook needs codebooks on heads, and \(loaded.folder) has none; headlamp train-model TASK "
          + "--from \(loaded.folder) --codebook heads --output DIR adds them")
    }
    if let option = AttributionDiscovery.trainedOptions.first(where: { arguments.isGiven($0) }) {
      throw UsageError.invalid(
        "--\(option.name) is about a dictionary that is trained; it has no effect with --dictionary codebook")
    }
    guard (arguments[AttributionDiscovery.replacement] ?? .pair) == .pair else {
      throw UsageError.invalid("--dictionary codebook compares with each prompt's negative: --replace pair")
    }
  }
}
