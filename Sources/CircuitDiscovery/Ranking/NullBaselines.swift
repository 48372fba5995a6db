// One ranking beside rankings that no training went into: if these do as well, the dictionary has added nothing.

import CausalMethods
import Recordings
import SparseAutoencoders
import Tensors

/// A ranking without a trained autoencoder, beside the one it is held against.
public struct NullBaseline: Hashable, Codable, Sendable {
  /// `random-projection`, or `norm of the paired difference`.
  public var name: String
  /// Spearman's correlation with the ranking; nil where either has no order.
  public var rankCorrelation: Double?
  /// The trapezoid area under the ROC curve; nil where no truth was named.
  public var trapezoidAUC: Double?

  /// A null.
  public init(name: String, rankCorrelation: Double?, trapezoidAUC: Double?) {
    self.name = name
    self.rankCorrelation = rankCorrelation
    self.trapezoidAUC = trapezoidAUC
  }

  /// The nulls of one ranking: the same score from an untrained random projection, and, where the recording has pairs,
  /// the plain norm of the paired difference.
  ///
  /// - Parameters:
  ///   - scores: the ranking's, by layer and head.
  ///   - truth: what areas are taken against.
  /// - Throws: what `HeadScorer` throws; `ScoreError` where the truth is of another model.
  public static func all(
    beside scores: [Double], of recording: Recording, trained: TrainedAutoencoders,
    protocol rankingProtocol: RankingProtocol, truth: GroundTruth?
  ) throws -> [NullBaseline] {
    let training = trained.trainingProtocol
    let examples = trained.members[0].trainingExamples
    let projection = NullEncoder.randomProjection.encoder(
      samples: Tensor(zeros: [1, recording.description.dModel]),
      features: trained.hyperparameters.features, seed: trained.seed)
    let projected = try HeadScorer(
      recording, encoders: [projection], trainedOn: [examples], averaging: training.averagesPositions,
      protocol: rankingProtocol)
    var nulls = [(NullEncoder.randomProjection.rawValue, projected.scores)]
    if !recording.pairs.isEmpty {
      let unseen = rankingProtocol.scoresTrainingExamples ? [] : Set(examples)
      nulls.append(
        (
          "norm of the paired difference",
          try pairedDifferenceNorms(
            recording, averaging: training.averagesPositions, excluding: unseen)
        ))
    }
    return try nulls.map { name, found in
      let area = try truth.map { truth in
        try HeadTable(
          path: recording.path, layers: recording.description.layers,
          headsPerLayer: recording.description.heads, scores: found
        ).labelled(by: truth).trapezoidAUC
      }
      return NullBaseline(
        name: name, rankCorrelation: CausalMethods.rankCorrelation(scores, found), trapezoidAUC: area)
    }
  }
}
