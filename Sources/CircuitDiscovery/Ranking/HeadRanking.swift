// From a recording and its autoencoders to ranked heads and ranked pairs of heads.

import Recordings
import SparseAutoencoders
import Tensors

/// Heads and pairs of heads in order, with what they were ranked by.
public struct HeadRanking: Hashable, Codable, Sendable {
  /// How they were ranked.
  public var rankingProtocol: RankingProtocol
  /// All heads, best first; ties by layer, then head.
  public var heads: [RankedHead]
  /// All unordered pairs of different heads, best first; ties by layers, then heads.
  public var pairs: [RankedPair]

  /// Ranks heads that have scores already.
  ///
  /// - Parameters:
  ///   - scores: one a head, `layers · heads` of them, layer by layer.
  ///   - codes: the codes that counts and pairs are taken from, `[examples, layers · heads]`.
  ///   - positions: for each head the position its score comes from, where positions were kept apart.
  public init(
    scores: [Double], codes: HeadCodes, labels: [Bool], headsPerLayer: Int, positions: [Int?]? = nil,
    protocol rankingProtocol: RankingProtocol
  ) {
    precondition(
      scores.count == codes.heads && headsPerLayer > 0 && scores.count % headsPerLayer == 0,
      "\(scores.count) scores of \(codes.heads) heads, \(headsPerLayer) a layer")
    self.rankingProtocol = rankingProtocol
    let counts = codeCounts(codes, labels: labels)
    let probabilities = softmax(scores)
    heads = competitionOrder(scores).map { index, rank in
      RankedHead(
        rank: rank, layer: index / headsPerLayer, head: index % headsPerLayer, score: scores[index],
        probability: probabilities[index], counts: counts[index], position: positions?[index])
    }
    let pairScores = PairScores(codes, labels: labels)
    var members: [(Int, Int)] = []
    for first in 0..<codes.heads {
      for second in first + 1..<codes.heads { members.append((first, second)) }
    }
    let values = members.map {
      pairScores.score($0.0, $0.1, normalised: rankingProtocol.normalisesPairs)
    }
    pairs = competitionOrder(values).map { index, rank in
      let (first, second) = members[index]
      return RankedPair(
        rank: rank, layerA: first / headsPerLayer, headA: first % headsPerLayer,
        layerB: second / headsPerLayer,
        headB: second % headsPerLayer, score: values[index])
    }
  }

  /// The scores in the order of layers and heads.
  public var scores: [Double] {
    heads.sorted { ($0.layer, $0.head) < ($1.layer, $1.head) }.map(\.score)
  }

  /// The predicted circuit: heads whose probability reaches a threshold θ, best first.
  public func circuit(threshold: Double) -> [RankedHead] {
    heads.filter { $0.probability >= threshold }
  }
}

extension HeadRanking {
  /// Ranks the heads of a recording by its autoencoders.
  ///
  /// With several autoencoders, scores are their mean; counts and pairs are those of the first. Where positions were
  /// kept apart, a head is scored at each and keeps its strongest.
  /// - Throws: `SparseAutoencoderError.anotherRecording` where the autoencoders come from another model,
  ///   `RankingError.nothingHeldOut`, or `RecordingError`.
  public static func rank(
    _ recording: Recording, with trained: TrainedAutoencoders, protocol rankingProtocol: RankingProtocol
  ) throws -> HeadRanking {
    try trained.requireSource(of: recording)
    return try rank(
      recording, encoders: trained.members.map(\.autoencoder.encoding),
      trainedOn: trained.members.map(\.trainingExamples),
      averaging: trained.trainingProtocol.averagesPositions,
      protocol: rankingProtocol)
  }

  /// Ranks the heads of a recording by any encoders, such as null baselines.
  ///
  /// - Parameters:
  ///   - trainedOn: for each encoder the examples it has seen.
  ///   - averaging: whether positions that were kept apart are averaged first.
  /// - Throws: `SparseAutoencoderError.oneLabelOnly`, `RankingError.nothingHeldOut`, or `RecordingError`.
  public static func rank(
    _ recording: Recording, encoders: [HeadEncoder], trainedOn: [[Int]], averaging: Bool,
    protocol rankingProtocol: RankingProtocol
  ) throws -> HeadRanking {
    precondition(
      !encoders.isEmpty && encoders.count == trainedOn.count,
      "\(encoders.count) encoders, \(trainedOn.count) sets of training examples")
    try TrainedAutoencoders.requireBothLabels(recording)
    let heldOut = try trainedOn.map { try examplesToScore(recording, trainedOn: $0, rankingProtocol) }
    let codes = try allCodes(
      recording, averaging: averaging, encoder: encoders[0], empty: rankingProtocol.emptyCode)
    let positions = codes.count
    // The position each head's counts and pairs are read at, from the end.
    var strongest = [Int](repeating: 0, count: codes[0].heads)
    let scored = heldOut[0]
    let labels = scored.map { recording.examples[$0].isPositive }
    let selected = codes.map { $0.selecting(scored) }
    let scores: [Double]
    switch rankingProtocol.score {
    case .pairedActivationChange, .pairedCodeChange:
      let changes = try ActivationChanges(
        recording, averaging: averaging, encoders: encoders, heldOut: heldOut)
      (scores, strongest) = ActivationChanges.strongest(
        of: rankingProtocol.score == .pairedCodeChange ? changes.code : changes.activation)
    case .uniqueCodes(let normalised):
      let perPosition = selected.map { codes in
        codeCounts(codes, labels: labels).map { $0.score(normalised: normalised) }
      }
      (scores, strongest) = ActivationChanges.strongest(of: perPosition)
    case .pairMentions(let normalised, let ties):
      let pairs = PairScores(selected[0], labels: labels)
      scores = headMentions(heads: pairs.heads, ties: ties) { pairs.score($0, $1, normalised: normalised) }
    }
    let merged = HeadCodes(
      (0..<scored.count).flatMap { example in
        strongest.indices.map { selected[strongest[$0]][example, $0] }
      }, heads: strongest.count)
    return HeadRanking(
      scores: scores, codes: merged, labels: labels, headsPerLayer: recording.description.heads,
      positions: positions > 1 ? strongest.map { -1 - $0 } : nil, protocol: rankingProtocol)
  }

  private static func examplesToScore(
    _ recording: Recording, trainedOn: [Int], _ rankingProtocol: RankingProtocol
  ) throws -> [Int] {
    let all = Array(recording.examples.indices)
    if rankingProtocol.scoresTrainingExamples { return all }
    let held = all.filter { !trainedOn.contains($0) }
    let labels = Set(held.map { recording.examples[$0].isPositive })
    guard labels.count == 2 else { throw RankingError.nothingHeldOut(examples: all.count) }
    return held
  }

  /// The codes of all examples at each position counted from the prompt's end.
  static func allCodes(
    _ recording: Recording, averaging: Bool, encoder: HeadEncoder, empty: EmptyCode
  ) throws -> [HeadCodes] {
    let heads = recording.description.layers * recording.description.heads
    let positions = recording.positionCount(averaging: averaging)
    var values = [[Int32]](repeating: [], count: positions)
    try recording.forEachEncoded(averaging: averaging, encoder: encoder) { example, activations in
      let codes = SparseAutoencoders.codes(of: activations, empty: empty)
      let length = positions == 1 ? 1 : recording.examples[example].tokens.count
      for offset in 0..<positions {
        // Past the prompt's start there is no position, hence no code.
        let start = (length - 1 - offset) * heads
        values[offset] +=
          offset < length ? Array(codes[start..<start + heads]) : [Int32](repeating: -1, count: heads)
      }
    }
    return values.map { HeadCodes($0, heads: heads) }
  }
}
