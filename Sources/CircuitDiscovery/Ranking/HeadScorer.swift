// From a recording and its encoders to scores of heads: as the recording is, and for draws of its prompts.

import Recordings
import SparseAutoencoders
import Tensors

/// Scores the heads of a recording under one or several encoders; scores are means over the encoders.
public struct HeadScorer: Sendable {
  private let members: [HeadMeasurements]
  private let recording: Recording
  private let rankingProtocol: RankingProtocol

  /// A scorer for the recording's autoencoders.
  /// - Throws: `SparseAutoencoderError.anotherRecording` where the autoencoders come from another model,
  ///   `RankingError.nothingHeldOut`, or `RecordingError`.
  public init(
    _ recording: Recording, trained: TrainedAutoencoders, protocol rankingProtocol: RankingProtocol
  ) throws {
    try trained.requireSource(of: recording)
    try self.init(
      recording, encoders: trained.members.map(\.autoencoder.encoding),
      trainedOn: trained.members.map(\.trainingExamples),
      averaging: trained.trainingProtocol.averagesPositions, protocol: rankingProtocol)
  }

  /// A scorer for any encoders, such as null baselines.
  ///
  /// - Parameters:
  ///   - trainedOn: for each encoder the examples it has seen.
  ///   - averaging: whether positions that were kept apart are averaged first.
  /// - Throws: `SparseAutoencoderError.oneLabelOnly`, `RankingError.nothingHeldOut`, or `RecordingError`.
  public init(
    _ recording: Recording, encoders: [HeadEncoder], trainedOn: [[Int]], averaging: Bool,
    protocol rankingProtocol: RankingProtocol
  ) throws {
    precondition(
      !encoders.isEmpty && encoders.count == trainedOn.count,
      "\(encoders.count) encoders, \(trainedOn.count) sets of training examples")
    try TrainedAutoencoders.requireBothLabels(recording)
    self.recording = recording
    self.rankingProtocol = rankingProtocol
    let scored = try trainedOn.map { try Self.examplesToScore(recording, trainedOn: $0, rankingProtocol) }
    members = try zip(encoders, scored).map { encoder, isScored in
      try HeadMeasurements(
        recording, averaging: averaging, encoder: encoder, empty: rankingProtocol.emptyCode,
        isScored: isScored, withChanges: rankingProtocol.score == .pairedActivationChange)
    }
  }

  private static func examplesToScore(
    _ recording: Recording, trainedOn: [Int], _ rankingProtocol: RankingProtocol
  ) throws -> [Bool] {
    var isScored = [Bool](repeating: true, count: recording.examples.count)
    if rankingProtocol.scoresTrainingExamples { return isScored }
    for example in trainedOn where isScored.indices.contains(example) { isScored[example] = false }
    // A paired score needs a whole pair, any other an example of each label.
    let pairs = recording.pairs
    let labels = Set(isScored.indices.filter { isScored[$0] }.map { recording.examples[$0].isPositive })
    let hasPair = pairs.isEmpty || pairs.contains { isScored[$0.positive] && isScored[$0.negative] }
    guard labels.count == 2, hasPair || !rankingProtocol.score.isPaired else {
      throw RankingError.nothingHeldOut(examples: recording.examples.count)
    }
    return isScored
  }

  /// The scores of one draw at every position, averaged over the encoders: `[positions][heads]`.
  private func scores(_ draw: PromptDraw) -> [[Double]] {
    let (labels, pairs) = (recording.labels, recording.pairs)
    let each = members.map {
      $0.scores(by: rankingProtocol.score, labels: labels, pairs: pairs, draw: draw)
    }
    guard each.count > 1 else { return each[0] }
    return each[0].indices.map { position in
      each[0][position].indices.map { head in
        each.reduce(0) { $0 + $1[position][head] } / Double(each.count)
      }
    }
  }

  /// Every head's score, by layer and head.
  public var scores: [Double] {
    strongestPositions(of: scores(PromptDraw(all: recording.examples.count))).scores
  }

  /// The share of samples (a head on a prompt) without any active feature, hence without a code, over all encoders; nil
  /// where the protocol calls these code 0 as the authors do, so that they cannot be told apart.
  public var shareWithoutCode: Double? {
    guard rankingProtocol.emptyCode == .none else { return nil }
    let samples = members.reduce(0) { $0 + $1.sampleCount }
    return samples == 0 ? 0 : Double(members.reduce(0) { $0 + $1.withoutCode }) / Double(samples)
  }

  /// Heads and pairs of heads, ranked.
  ///
  /// Where positions were kept apart, a head is scored at each and keeps its strongest; its counts and pairs are those
  /// of that position. Counts are the first encoder's; pair scores are means over the encoders.
  public func ranking() -> HeadRanking {
    let (scores, offsets) = strongestPositions(of: scores(PromptDraw(all: recording.examples.count)))
    let everything = PromptDraw(all: recording.examples.count)
    var counts: [CodeCounts] = []
    var pairScores: [Double] = []
    for (index, member) in members.enumerated() {
      let examples = member.examples(in: everything)
      let labels = examples.map { recording.examples[$0].isPositive }
      let codes = HeadCodes(
        examples.flatMap { example in offsets.indices.map { member.codes[offsets[$0]][example, $0] } },
        heads: offsets.count)
      if index == 0 { counts = codeCounts(codes, labels: labels) }
      let found = PairScores(codes, labels: labels).all(normalised: rankingProtocol.normalisesPairs)
      pairScores = index == 0 ? found : zip(pairScores, found).map { $0 + $1 }
    }
    return HeadRanking(
      scores: scores, counts: counts, pairScores: pairScores.map { $0 / Double(members.count) },
      headsPerLayer: recording.description.heads,
      positions: members[0].codes.count > 1 ? offsets.map { -1 - $0 } : nil, protocol: rankingProtocol)
  }

  /// Whether scores follow from single prompts, so that prompts can be drawn again; not so for the change between two
  /// labels' means, in a recording without pairs.
  public var canDrawPrompts: Bool { !recording.pairs.isEmpty || !rankingProtocol.score.isPaired }

  /// Every head's score for each of `count` draws of the prompts with replacement, `[draws][heads]`: pairs are drawn
  /// whole, the encoders stay the same. Empty where prompts cannot be drawn again.
  public func scores(draws count: Int, seed: UInt64) -> [[Double]] {
    guard canDrawPrompts else { return [] }
    var generator = SeededGenerator(seed: seed, stream: "prompts drawn again")
    let draws = (0..<count).map { _ in PromptDraw(from: recording, using: &generator) }
    // The pairs of heads are counted on every core already.
    if case .pairMentions = rankingProtocol.score {
      return draws.map { strongestPositions(of: scores($0)).scores }
    }
    return parallelMap(count) { strongestPositions(of: scores(draws[$0])).scores }
  }
}

extension HeadScore {
  /// Whether it compares a positive with its own negative.
  public var isPaired: Bool { self == .pairedCodeChange || self == .pairedActivationChange }
}
