// Protocols beside null baselines on one recording: the area under the ROC curve over several seeds.

import Recordings
import SparseAutoencoders
import Tensors

/// A table of ways to rank heads, each scored against one ground truth for several seeds.
public struct RankingComparison: Codable, Hashable, Sendable {
  /// One way to rank heads.
  public struct Row: Codable, Hashable, Sendable {
    /// What encodes head outputs, or `no dictionary`.
    public var encoder: String
    /// What heads are scored by.
    public var score: String
    /// The trapezoid area under the ROC curve for each seed; one value where no seed matters.
    public var areas: [Double]

    /// The mean over seeds.
    public var mean: Double { areas.reduce(0, +) / Double(areas.count) }

    /// The standard deviation over seeds (n − 1); 0 for a single value.
    public var deviation: Double {
      guard areas.count > 1 else { return 0 }
      let squares = areas.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      return (squares / Double(areas.count - 1)).squareRoot()
    }
  }

  /// The name of the ground truth.
  public var truth: String
  /// The rows, protocols first.
  public var rows: [Row]
}

/// Compares the two protocols with null baselines on a recording, seed by seed.
///
/// Every null is scored in the ways the protocols are, on the same held-out examples. The seed draws training examples,
/// first weights, projections and cluster centres; the recording stays the same.
/// - Parameter progress: called after each seed.
/// - Throws: what training and ranking throw; `ScoreError` where the truth is of another model.
public func compareRankings(
  _ recording: Recording, truth: GroundTruth, seeds: Range<UInt64>, hyperparameters: Hyperparameters,
  progress: (_ done: Int, _ total: Int) -> Void = { _, _ in }
) throws -> RankingComparison {
  var rows: [RankingComparison.Row] = []
  func add(_ encoder: String, _ score: String, _ scores: [Double]) throws {
    let table = HeadTable(
      path: recording.path, layers: recording.description.layers, headsPerLayer: recording.description.heads,
      scores: scores)
    let labelled: LabelledScores = try table.labelled(by: truth)
    let area = labelled.trapezoidAUC
    if let row = rows.firstIndex(where: { $0.encoder == encoder && $0.score == score }) {
      rows[row].areas.append(area)
    } else {
      rows.append(RankingComparison.Row(encoder: encoder, score: score, areas: [area]))
    }
  }
  func paper(_ score: HeadScore) -> RankingProtocol {
    var chosen = RankingProtocol.paper
    chosen.score = score
    return chosen
  }
  func standard(_ score: HeadScore) -> RankingProtocol {
    var chosen = RankingProtocol.change
    chosen.score = score
    return chosen
  }
  let ways: [(name: String, protocol: RankingProtocol)] = [
    ("unique codes (paper)", .paper),
    ("pair mentions (paper, edge*)", paper(.pairMentions(normalised: false, ties: .laterFirst))),
    ("paired code change", standard(.pairedCodeChange)),
    ("paired activation change (change)", .change),
  ]
  for (index, seed) in seeds.enumerated() {
    for training in [TrainingProtocol.paper, .change] {
      let trained = try TrainedAutoencoders.train(
        on: recording, protocol: training, hyperparameters: hyperparameters, seed: seed)
      for way in ways where (way.protocol.name == training.name) {
        let ranking = try HeadRanking.rank(recording, with: trained, protocol: way.protocol)
        try add("trained autoencoder", way.name, ranking.scores)
      }
      let examples = trained.members[0].trainingExamples
      let samples = try trainingSamples(recording, examples: examples, training)
      for null in NullEncoder.allCases {
        let encoder = null.encoder(samples: samples, features: hyperparameters.features, seed: seed)
        for way in ways where way.protocol.name == training.name {
          let ranking = try HeadRanking.rank(
            recording, encoders: [encoder], trainedOn: [examples], averaging: training.averagesPositions,
            protocol: way.protocol)
          try add(null.rawValue, way.name, ranking.scores)
        }
      }
    }
    progress(index + 1, seeds.count)
  }
  if !recording.pairs.isEmpty {
    try add(
      "no dictionary", "norm of the paired difference", pairedDifferenceNorms(recording, averaging: false))
  }
  return RankingComparison(truth: truth.name, rows: rows)
}

/// The samples of some examples, `[samples, d_model]`, at most 4,096 of them.
private func trainingSamples(
  _ recording: Recording, examples: [Int], _ training: TrainingProtocol
) throws(RecordingError) -> Tensor {
  let width = recording.description.dModel
  var values: [Float] = []
  for example in examples where values.count < 4096 * width {
    values += try recording.headSamples(example..<example + 1, averaging: training.averagesPositions).values
  }
  let count = min(4096, values.count / width)
  return Tensor(values.prefix(count * width), shape: [count, width])
}
