// How heads are ranked from a recording and its autoencoders: choices as values.

import SparseAutoencoders

/// What a head is scored by.
public enum HeadScore: Hashable, Codable, Sendable {
  /// Codes shown on positives and never on negatives, normalised by all distinct codes or not (O'Neill & Bui 2024).
  case uniqueCodes(normalised: Bool)
  /// Mentions among the best pairs of heads: the authors' "edge" result.
  case pairMentions(normalised: Bool, ties: TieRule)
  /// The share of pairs of a positive and its negative whose code differs.
  case pairedCodeChange
  /// The mean over such pairs of ‖f⁺ − f⁻‖₁, f the learned activations.
  case pairedActivationChange
}

/// The choices behind a ranking.
public struct RankingProtocol: Hashable, Codable, Sendable {
  /// The protocol's name.
  public var name: String
  /// What heads are scored by.
  public var score: HeadScore
  /// Whether examples that an autoencoder was trained on are scored too.
  public var scoresTrainingExamples: Bool
  /// What stands for a sample without active features.
  public var emptyCode: EmptyCode
  /// Whether pair scores are divided by the pairs of codes shown.
  public var normalisesPairs: Bool

  /// A protocol of the given choices.
  public init(
    name: String, score: HeadScore, scoresTrainingExamples: Bool, emptyCode: EmptyCode, normalisesPairs: Bool
  ) {
    self.name = name
    self.score = score
    self.scoresTrainingExamples = scoresTrainingExamples
    self.emptyCode = emptyCode
    self.normalisesPairs = normalisesPairs
  }

  /// The authors' node score, to the letter: training examples are scored, an empty sample has code 0.
  public static let paper = RankingProtocol(
    name: "paper", score: .uniqueCodes(normalised: false), scoresTrainingExamples: true, emptyCode: .zero,
    normalisesPairs: false)

  /// The change of learned activations over held-out pairs; an empty sample has no code.
  public static let change = RankingProtocol(
    name: "change", score: .pairedActivationChange, scoresTrainingExamples: false, emptyCode: .none,
    normalisesPairs: false)
}

/// What can go wrong between a recording, its autoencoders and a ranking.
public enum RankingError: Error, Equatable, Sendable {
  /// Every example (or pair) was trained on, so none is left to score.
  case nothingHeldOut(examples: Int)
}
