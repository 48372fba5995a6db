// The options that say how heads are ranked, for every subcommand that ranks.

import CircuitDiscovery
import SparseAutoencoders

/// A protocol, and what may be chosen otherwise.
enum RankingOptions {
  static let protocolName = Option<ProtocolName>(
    "protocol", "NAME", help: "change or paper; the one the autoencoder was trained by unless given")
  static let score = Option<HeadScoreName>(
    "score", "NAME",
    help: "rank by another score: " + HeadScoreName.allCases.map(\.rawValue).joined(separator: ", "))
  static let pairScore = Option<PairScoreName>(
    "pair-score", "NAME",
    help:
      "unique (default): pairs of codes on positives only; normalised: divided by all pairs of codes shown")
  static let all: [any OptionDeclaration] = [protocolName, score, pairScore]

  /// The choices, for autoencoders that were trained in a certain way.
  static func rankingProtocol(
    _ arguments: ParsedArguments, trained: TrainedAutoencoders
  ) -> RankingProtocol {
    let name =
      arguments[protocolName] ?? ProtocolName(rawValue: trained.trainingProtocol.name) ?? .change
    var chosen = name.ranking
    if let score = arguments[score] { chosen.score = score.score(paper: name == .paper) }
    if let pairScore = arguments[pairScore] { chosen.normalisesPairs = pairScore == .normalised }
    return chosen
  }
}

/// Scores of heads by the names of the command line.
enum HeadScoreName: String, CaseIterable, ArgumentValue {
  case uniqueCodes = "unique-codes"
  case uniqueCodesNormalised = "unique-codes-normalised"
  case pairMentions = "pair-mentions"
  case pairMentionsNormalised = "pair-mentions-normalised"
  case codeChange = "code-change"
  case activationChange = "activation-change"

  /// The score; ties among pairs follow the authors' code where `paper` is asked for.
  func score(paper: Bool) -> HeadScore {
    switch self {
    case .uniqueCodes: .uniqueCodes(normalised: false)
    case .uniqueCodesNormalised: .uniqueCodes(normalised: true)
    case .pairMentions: .pairMentions(normalised: false, ties: paper ? .laterFirst : .shared)
    case .pairMentionsNormalised: .pairMentions(normalised: true, ties: paper ? .laterFirst : .shared)
    case .codeChange: .pairedCodeChange
    case .activationChange: .pairedActivationChange
    }
  }
}

/// Scores of pairs of heads by the names of the command line.
enum PairScoreName: String, CaseIterable, ArgumentValue {
  case unique
  case normalised
}
