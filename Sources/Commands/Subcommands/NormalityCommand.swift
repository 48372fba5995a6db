// headlamp normality: which prompts make a model write what it does not usually write.

import CircuitDiscovery
import Files
import Probes
import Recordings
import Reports

/// Fits normal distributions to a recording, and scores prompts by their distance.
enum NormalityCommand: Subcommand {
  static let name = "normality"
  static let summary = "fit what is normal of a recording, and score prompts by their distance from it"
  static let discussion = """
    'normality fit' takes a multivariate normal distribution for what each layer's heads write together (or each head, or
    all layers up to one, by --of), with the covariance shrunk by Ledoit and Wolf's rule, and writes it. A prompt's score is
    its squared Mahalanobis distance, summed over places. 'normality score' scores the prompts of a recording and names
    those beyond the working point, which normal prompts pass with the probability --rate.

    The working point is a quantile of χ²: 'chi-square' of plain χ² with as many degrees of freedom as components, which
    holds for many prompts and one place; 'calibrated' of a multiple of χ² that was matched to the scores of prompts held
    out of the fit. 'fit' says how often held-out prompts pass either. --least N keeps only the N components of least
    variance, which tell best what is unusual (Rippel et al. 2020).
    """
  static let positionals = [
    Positional("ACTION", help: "fit or score"),
    Positional("RECORDING", help: "what 'record' or 'discover' wrote"),
  ]
  static let output = Option<String>(
    "output", "PATH", help: "the model to write (.safetensors) for 'fit', the folder for 'score'")
  static let of = Option<NormalityPlaces>(
    "of", "WHAT", default: .layers, help: "fit: layers, heads, or stream (the sum of all layers up to each)")
  static let layer = Option<Int>("layer", "N", help: "fit: this layer alone (default: all)")
  static let least = Option<Int>(
    "least", "N", help: "fit: keep the N components of least variance (default: all)")
  static let normality = Option<String>("normality", "FILE", help: "score: what 'fit' wrote")
  static let odd = Option<String>(
    "odd", "RECORDING",
    help: "score: prompts that are known to be odd, for the AUROC and the share that is found")
  static let rate = Option<Double>(
    "rate", "P", default: 0.01, help: "the share of false alarms at the working point")
  static let workingPoint = Option<WorkingPoint>(
    "working-point", "NAME", default: .calibrated, help: "score: calibrated or chi-square")
  static let seed = Option<UInt64>("seed", "N", default: 0, help: "fit: the seed of what is held out")
  static let options: [any OptionDeclaration] =
    [output, of, layer, least, normality, odd, rate, workingPoint, seed] + ReportCommand.choices
  static let examples = [
    Example(
      "headlamp normality fit ioi.h5 --output normality.safetensors", "what is normal of these prompts"),
    Example(
      "headlamp normality score other.h5 --normality normality.safetensors", "which prompts are unlike them"),
  ]

  static func run(_ arguments: ParsedArguments, console: Console) throws {
    let rate = arguments[rate] ?? 0.01
    guard rate > 0, rate <= 0.5 else {
      throw UsageError.invalid("--rate is \(rate); allowed is above 0 up to 0.5")
    }
    switch arguments.positionals[0] {
    case "fit":
      try refuse([normality, odd, workingPoint, ReportCommand.figures], in: "fit", arguments)
      try fit(arguments, rate: rate, console)
    case "score":
      try refuse([of, layer, least, seed], in: "score", arguments)
      try score(arguments, rate: rate, console)
    case let other:
      throw UsageError.invalid(
        "the action is fit or score, not '\(other)'"
          + (nearestWord(to: other, among: ["fit", "score"]).map { "; did you mean '\($0)'?" } ?? ""))
    }
  }

  private static func refuse(
    _ options: [any OptionDeclaration], in action: String, _ arguments: ParsedArguments
  ) throws {
    for option in options where arguments.isGiven(option) {
      throw UsageError.invalid(
        "--\(option.name) goes with 'normality \(action == "fit" ? "score" : "fit")', not with '\(action)'")
    }
  }

  // MARK: - fit

  private static func fit(_ arguments: ParsedArguments, rate: Double, _ console: Console) throws {
    let path = try arguments.required(output)
    let recording = try Recording(path: arguments.positionals[1])
    let description = recording.description
    var options = NormalityOptions()
    options.kind = (arguments[of] ?? .layers).kind
    options.layer = arguments[layer]
    options.leastComponents = arguments[least]
    options.seed = arguments[seed] ?? 0
    if let layer = options.layer, !(0..<description.layers).contains(layer) {
      throw UsageError.invalid("--layer is \(layer); the recording has layers 0 to \(description.layers - 1)")
    }
    if let least = options.leastComponents, !(1...description.dModel).contains(least) {
      throw UsageError.invalid("--least is \(least); allowed is 1 to \(description.dModel)")
    }
    console.progress("fitting")
    let (found, heldOut) = try Normality.fit(
      recording, prompts: Array(recording.examples.indices), groups: PromptFields(recording).groups, options)
    try found.save(to: path)
    console.endProgress()
    let totals = heldOut.totals
    func share(_ point: WorkingPoint) -> Double {
      let threshold = point.threshold(of: found, rate: rate)
      return Double(totals.count { $0 > threshold }) / Double(totals.count)
    }
    let shrinkage = found.parts.map(\.gaussian.shrinkage)
    let (low, high) = (shrinkage.min() ?? 0, shrinkage.max() ?? 0)
    console.print(
      "\(found.parts.count) places of \(found.promptCount) prompts at \(description.position.text): "
        + "\(found.freedom) components, shrinkage \(low.text(significant: 2)) to \(high.text(significant: 2))"
    )
    console.print(
      "of prompts held out of the fit, \(percent(share(.calibrated))) pass the working point for \(percent(rate)), and "
        + "\(percent(share(.chiSquare))) that of plain χ² with \(found.freedom) degrees of freedom")
    console.result(
      .object([
        JSONMember("created_by", .string("headlamp \(headlampVersion) normality")),
        JSONMember("file", .string(path)), JSONMember("recording_sha256", .string(found.recordingSHA256)),
        JSONMember("places", .integer(found.parts.count)), JSONMember("prompts", .integer(found.promptCount)),
        JSONMember("components", .integer(found.freedom)),
        JSONMember("shrinkage", .array([.number(low), .number(high)])), JSONMember("rate", .number(rate)),
        JSONMember("held_out_rate_calibrated", .number(share(.calibrated))),
        JSONMember("held_out_rate_chi_square", .number(share(.chiSquare))),
      ]))
    console.note("normality of \(recording.path): \(path)")
  }

  // MARK: - score

  private static func score(_ arguments: ParsedArguments, rate: Double, _ console: Console) throws {
    let folder = arguments[output]
    if folder == nil {
      for option in ReportCommand.choices where arguments.isGiven(option) {
        throw UsageError.invalid("--\(option.name) goes with --output")
      }
    }
    let model = try Normality(path: arguments.required(normality))
    let point = arguments[workingPoint] ?? .calibrated
    var scored = [try ScoredPrompts(arguments.positionals[1], model, point, rate: rate)]
    if let path = arguments[odd] { scored.append(try ScoredPrompts(path, model, point, rate: rate)) }
    let report = NormalityReport(model: model, point: point, rate: rate, scored: scored)
    if let folder {
      try claimFolder(folder)
      try report.table().write(to: folder + "/scores.csv")
      try writeFile(try report.summary().text(), to: folder + "/summary.json")
      try ReportCommand.write(arguments, folder: folder, console: console)
    }
    try console.result(report.summary())
    for line in try report.lines { console.print(line) }
  }
}

/// A share as people read it.
func percent(_ share: Double) -> String { (100 * share).text(significant: 3) + " %" }

/// Which outputs are summed, as the command line says it.
enum NormalityPlaces: String, CaseIterable, ArgumentValue {
  case layers
  case heads
  case stream

  var kind: Place.Kind {
    switch self {
    case .layers: .layer
    case .heads: .head
    case .stream: .stream
    }
  }
}

/// Beyond which score a prompt is odd.
enum WorkingPoint: String, CaseIterable, ArgumentValue {
  case calibrated
  case chiSquare = "chi-square"

  func threshold(of model: Normality, rate: Double) -> Double { spread(of: model).threshold(rate: rate) }

  func spread(of model: Normality) -> ScaledChiSquared {
    switch self {
    case .calibrated: model.spread
    case .chiSquare: ScaledChiSquared(scale: 1, freedom: Double(model.freedom))
    }
  }
}
