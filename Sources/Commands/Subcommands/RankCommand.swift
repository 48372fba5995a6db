// headlamp rank: from a recording and its autoencoders to ranked heads and pairs.

import CircuitDiscovery
import Files
import Recordings
import Reports
import SparseAutoencoders
import Tensors

/// Ranks heads and pairs of heads.
enum RankCommand: Subcommand {
  static let name = "rank"
  static let summary = "rank heads and pairs of heads by their codes"
  static let discussion = """
    Gives every head of a recording its codes and ranks heads and pairs of heads. The protocol 'paper' ranks heads by
    the codes they show on positives and never on negatives. The protocol 'default' ranks them by how much their
    learned activations change between a positive and its paired negative, on examples that were not trained on.
    Writes heads.csv and pairs.csv; heads of equal score share a rank. Pairs are scored by the pairs of codes they show
    together on positives only. 'position' in heads.csv counts from the prompt's end: -1 is the last token.
    """
  static let positionals = [Positional("RECORDING", help: "what 'record' wrote")]
  static let autoencoder = Option<String>(
    "autoencoder", "FILE", help: "what 'train' wrote from the recording")
  static let output = Option<String>("output", "DIR", help: "the folder for heads.csv and pairs.csv")
  static let protocolName = Option<ProtocolName>(
    "protocol", "NAME", help: "default or paper; the one the autoencoder was trained by unless given")
  static let score = Option<HeadScoreName>(
    "score", "NAME",
    help: "rank by another score: " + HeadScoreName.allCases.map(\.rawValue).joined(separator: ", "))
  static let truth = Option<String>("truth", "TASK:NAME", help: "a ground truth to mark heads by")
  static let theta = Option<Double>(
    "theta", "P", help: "print the circuit: heads of at least this probability")
  static let options: [any OptionDeclaration] = [autoencoder, output, protocolName, score, truth, theta]
  static let examples = [
    Example(
      "headlamp rank ioi.h5 --autoencoder ioi.safetensors --output results/ioi --truth ioi:ablation",
      "heads.csv and pairs.csv, true heads marked")
  ]

  static func run(_ arguments: ParsedArguments, console: Console) throws {
    let folder = try arguments.required(output)
    let autoencoderPath = try arguments.required(autoencoder)
    let groundTruth = try arguments[truth].map { try namedTruth($0) }
    let trained = try TrainedAutoencoders(path: autoencoderPath)
    let recording = try Recording(path: arguments.positionals[0])
    let digest = Background { try recording.sha256() }
    let name = arguments[protocolName] ?? ProtocolName(rawValue: trained.trainingProtocol.name) ?? .standard
    var rankingProtocol = name.ranking
    if let score = arguments[score] { rankingProtocol.score = score.score(paper: name == .paper) }
    let ranking = try HeadRanking.rank(recording, with: trained, protocol: rankingProtocol)
    try makeFolder(folder)
    try ranking.headsTable(truth: groundTruth).write(to: folder + "/heads.csv")
    try ranking.pairsTable().write(to: folder + "/pairs.csv")
    for line in ranking.lines(best: 10, truth: groundTruth) { console.print(line) }
    if let threshold = arguments[theta] {
      let circuit = ranking.circuit(threshold: threshold)
      let names = circuit.map { "\($0.layer).\($0.head)" }.joined(separator: " ")
      console.print("\(circuit.count) heads with probability \(threshold) or more: \(names)")
    }
    if try trained.recordingSHA256 != digest.value {
      console.note("the autoencoder was trained on another recording of the same model")
    }
  }
}

/// Scores by the names of the command line.
enum HeadScoreName: String, CaseIterable, ArgumentValue {
  case uniqueCodes = "unique-codes"
  case uniqueCodesNormalised = "unique-codes-normalised"
  case pairMentions = "pair-mentions"
  case codeChange = "code-change"
  case activationChange = "activation-change"

  /// The score; ties among pairs follow the authors' code where `paper` is asked for.
  func score(paper: Bool) -> HeadScore {
    switch self {
    case .uniqueCodes: .uniqueCodes(normalised: false)
    case .uniqueCodesNormalised: .uniqueCodes(normalised: true)
    case .pairMentions: .pairMentions(normalised: false, ties: paper ? .laterFirst : .shared)
    case .codeChange: .pairedCodeChange
    case .activationChange: .pairedActivationChange
    }
  }
}
