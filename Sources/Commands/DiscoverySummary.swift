// summary.json: what was done, with what, and what came out.

import CircuitDiscovery
import Files
import FoundationEssentials
import Recordings
import SparseAutoencoders

/// The summary of one discovery, written as JSON with sorted keys.
struct DiscoverySummary: Encodable {
  var schemaVersion = 1
  var createdBy: String
  var recording: RecordingDescription
  var positives: Int
  var negatives: Int
  var recordingSHA256: String
  var trainingProtocol: TrainingProtocol
  var hyperparameters: Hyperparameters
  var seed: UInt64
  var lastLosses: [Double]
  var rankingProtocol: RankingProtocol
  /// The share of samples that show no code; absent where the protocol calls these code 0.
  var shareWithoutCode: Double?
  var heads: [RankedHead]
  /// The ranking beside rankings without training.
  var nulls: [Null]
  var truth: String?
  /// Measures against the truth, each by its exact name.
  var measures: [String: Measure]?
  /// Prompts that are unlike those that train; absent where too few train to say so.
  var oddPrompts: [OddPrompt]?

  struct OddPrompt: Encodable {
    var prompt: Int
    var pValue: Double
  }

  struct Measure: Encodable {
    var value: Double
    /// The 95 % bootstrap interval over prompts.
    var lowOverPrompts: Double?
    var highOverPrompts: Double?
  }

  struct Null: Encodable {
    var name: String
    /// Spearman's, with this ranking.
    var rankCorrelation: Double?
    var trapezoidAuc: Double?
  }

  init(
    recording: Recording, trained: TrainedAutoencoders, ranking: HeadRanking, shareWithoutCode: Double?,
    evaluation: Evaluation?, nulls: [NullBaseline]
  ) {
    createdBy = recording.description.createdBy
    self.recording = recording.description
    positives = recording.labels.count { $0 }
    negatives = recording.labels.count { !$0 }
    recordingSHA256 = trained.recordingSHA256
    trainingProtocol = trained.trainingProtocol
    hyperparameters = trained.hyperparameters
    seed = trained.seed
    lastLosses = trained.members.map { $0.losses.last ?? 0 }
    rankingProtocol = ranking.rankingProtocol
    heads = Array(ranking.heads.prefix(20))
    truth = evaluation?.truth
    measures = evaluation.map { evaluation in
      Dictionary(
        uniqueKeysWithValues: evaluation.measures.map { measure in
          let interval = evaluation.resampled == .prompts ? measure.interval : nil
          let value = Measure(
            value: measure.mean, lowOverPrompts: interval?.lowerBound, highOverPrompts: interval?.upperBound)
          return (measure.name, value)
        })
    }
    self.shareWithoutCode = shareWithoutCode
    self.nulls = nulls.map {
      Null(name: $0.name, rankCorrelation: $0.rankCorrelation, trapezoidAuc: $0.trapezoidAUC)
    }
  }

  func write(to path: String) throws {
    let encoder = JSONEncoder()
    encoder.outputFormatting = [.sortedKeys, .prettyPrinted]
    encoder.keyEncodingStrategy = .convertToSnakeCase
    try writeFile(encoder.encode(self), to: path)
  }
}

extension HeadRanking {
  /// The ranking as the table that scores are taken from.
  func table(path: String) -> HeadTable {
    let layers = (heads.map(\.layer).max() ?? -1) + 1
    let perLayer = (heads.map(\.head).max() ?? -1) + 1
    return HeadTable(path: path, layers: layers, headsPerLayer: perLayer, scores: scores)
  }
}
