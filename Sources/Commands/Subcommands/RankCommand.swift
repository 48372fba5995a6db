// headlamp rank: from a recording and its autoencoders to ranked heads and pairs.

import CircuitDiscovery
import Files
import Recordings
import Reports
import SparseAutoencoders

/// Ranks heads and pairs of heads.
enum RankCommand: Subcommand {
  static let name = "rank"
  static let summary = "rank heads and pairs of heads by their codes"
  static let discussion = """
    Gives every head of a recording its codes and ranks heads and pairs of heads. The protocol 'paper' ranks heads by
    the codes they show on positives and never on negatives. The protocol 'change' ranks them by how much their
    learned activations change between a positive and its paired negative, on examples that were not trained on. A
    recording has no gradients, so that neither can tell a change that matters for the answer from one that does not;
    'discover' ranks by what codes do to the answer.
    With several autoencoders scores are means over them; counts of codes are those of the first. Pairs of heads are
    scored by the pairs of codes they show together on positives and never on negatives.
    Writes heads.csv and pairs.csv; heads of equal score share a rank. Where the recording holds every position, a head
    is scored at each and keeps its strongest: 'position' in heads.csv counts from the prompt's end, -1 is the last.
    """
  static let positionals = [Positional("RECORDING", help: "what 'record' wrote")]
  static let autoencoder = Option<String>(
    "autoencoder", "FILE", help: "what 'train' wrote from the recording")
  static let output = Option<String>("output", "DIR", help: "the folder for heads.csv and pairs.csv")
  static let truth = Option<String>("truth", "TASK:NAME", help: "a ground truth to mark heads by")
  static let theta = Option<Double>(
    "theta", "P", help: "print the circuit: heads of at least this probability")
  static let options: [any OptionDeclaration] =
    [autoencoder, output] + RankingOptions.all + [truth, theta, StageTimes.option]
  static let examples = [
    Example(
      "headlamp rank ioi.h5 --autoencoder ioi.safetensors --output results/ioi --truth ioi:ablation",
      "heads.csv and pairs.csv, true heads marked"),
    Example(
      "headlamp rank ioi.h5 --autoencoder ioi.safetensors --score code-change --output results/code-change",
      "heads by how often their code changes between a prompt and its negative"),
  ]

  static func run(_ arguments: ParsedArguments, console: Console) throws {
    let folder = try arguments.required(output)
    let autoencoderPath = try arguments.required(autoencoder)
    let groundTruth = try arguments[truth].map { try namedTruth($0) }
    var times = StageTimes()
    let trained = try TrainedAutoencoders(path: autoencoderPath)
    let recording = try Recording(path: arguments.positionals[0])
    let rankingProtocol = RankingOptions.rankingProtocol(arguments, trained: trained)
    try groundTruth?.requireHeads(
      layers: recording.description.layers, headsPerLayer: recording.description.heads, of: recording.path)
    times.finish("open")
    let scorer = try HeadScorer(recording, trained: trained, protocol: rankingProtocol)
    times.finish("encode")
    let ranking = scorer.ranking()
    times.finish("score")
    try claimFolder(folder)
    try ranking.headsTable(truth: groundTruth).write(to: folder + "/heads.csv")
    try ranking.pairsTable().write(to: folder + "/pairs.csv")
    for line in ranking.lines(best: 10, truth: groundTruth) { console.print(line) }
    if let threshold = arguments[theta] {
      let circuit = ranking.circuit(threshold: threshold)
      let names = circuit.map { "\($0.layer).\($0.head)" }.joined(separator: " ")
      console.print("\(circuit.count) heads with probability \(threshold) or more: \(names)")
    }
    if try trained.recordingSHA256 != recording.sha256() {
      console.note("the autoencoder was trained on another recording of the same model")
    }
    if arguments[StageTimes.option] { console.print(times.report.line) }
  }
}
