// Ways to rank heads, side by side: ours, their nulls, and causal methods.

import CausalMethods
import FoundationEssentials
import Recordings
import SparseAutoencoders
import Tensors
import Transformers

/// What a ranking is made from.
public struct RankingMaterial: Sendable {
  /// The model.
  public var model: Transformer
  /// The prompts.
  public var prompts: PromptSet
  /// The seed of dictionaries.
  public var seed: UInt64 = 0
  /// How dictionaries are trained.
  public var dictionary = DictionarySettings()
  /// How many of them, with different seeds.
  public var dictionaries = 1
  /// Points of integrated gradients in code attribution.
  public var points = 3
  /// Steps of integrated gradients in other methods.
  public var steps = 5
  /// About how many tokens run at once.
  public var tokenLimit = 448
  /// A folder for recordings that are thrown away.
  public var scratch: String

  /// Prompts for a model.
  public init(model: Transformer, prompts: PromptSet, scratch: String) {
    self.model = model
    self.prompts = prompts
    self.scratch = scratch
  }

  func task(for question: HeadQuestion) throws(TaskError) -> CausalTask {
    try prompts.causalTask(needsPairs: question == .pair)
  }
}

/// One way to rank heads.
public struct ComparedRanking: Sendable {
  /// Its name, as in tables.
  public var name: String
  /// The questions it can be asked; one that knows none answers both alike.
  public var questions: [HeadQuestion]
  /// A score for each head, by layer and head, the best highest.
  public var scores: @Sendable (RankingMaterial, HeadQuestion) throws -> [Double]

  /// A way to rank heads.
  public init(
    name: String, questions: [HeadQuestion] = HeadQuestion.allCases,
    scores: @escaping @Sendable (RankingMaterial, HeadQuestion) throws -> [Double]
  ) {
    self.name = name
    self.questions = questions
    self.scores = scores
  }

  /// Every way, ours first.
  public static var all: [ComparedRanking] {
    [codes] + nullCodes + attributionMethods.map(causal) + [change, paper, norm]
  }

  /// Those that take a few runs of the model: no exact patching of edges, ACDC or learned masks.
  public static var quick: [ComparedRanking] {
    let slow = ["edge-patching", "acdc", "node-mask", "edge-mask"]
    return all.filter { !slow.contains($0.name) }
  }
}

extension ComparedRanking {
  /// Code attribution with a trained dictionary: the default of `discover`.
  public static let codes = ComparedRanking(name: "codes") { material, question in
    let task = try material.task(for: question)
    let samples = try material.model.sampleHeadOutputs(
      task, count: material.dictionary.samples, tokenLimit: material.tokenLimit, seed: material.seed)
    let scales = samples.scales
    let scaled = samples.scaled(by: scales)
    return try codeScores(
      material, question,
      (0..<material.dictionaries).map { number in
        let trained = trainDictionary(
          on: scaled, material.dictionary, seed: material.seed &+ UInt64(number))
        return CodeDictionary(trained.dictionary, scales: scales)
      })
  }

  /// The same with dictionaries that nobody trained.
  public static let nullCodes: [ComparedRanking] = [
    ComparedRanking(name: "codes (random)") { material, question in
      try codeScores(
        material, question,
        [
          .random(
            features: material.dictionary.features, width: material.model.configuration.dModel,
            seed: material.seed)
        ])
    },
    ComparedRanking(name: "codes (sparse random)") { material, question in
      try codeScores(
        material, question,
        [
          .random(
            features: material.dictionary.features, width: material.model.configuration.dModel,
            activeFeatures: material.dictionary.sparsity.activeFeatures ?? 16, seed: material.seed)
        ])
    },
    ComparedRanking(name: "codes (untrained)") { material, question in
      try codeScores(
        material, question,
        [
          .untrained(
            features: material.dictionary.features, width: material.model.configuration.dModel,
            seed: material.seed)
        ])
    },
    ComparedRanking(name: "codes (k-means)") { material, question in
      let samples = try material.model.sampleHeadOutputs(
        material.task(for: question), count: material.dictionary.samples, tokenLimit: material.tokenLimit,
        seed: material.seed)
      let scales = samples.scales
      return try codeScores(
        material, question,
        [
          .kMeans(
            samples: samples.scaled(by: scales), scales: scales, features: material.dictionary.features,
            seed: material.seed)
        ])
    },
  ]

  private static func codeScores(
    _ material: RankingMaterial, _ question: HeadQuestion, _ dictionaries: [CodeDictionary]
  ) throws -> [Double] {
    var options = HeadPathOptions()
    options.replacement = question.sourceReplacement
    options.steps = material.points
    options.tokenLimit = material.tokenLimit
    let found = try material.model.attributeCodes(
      material.task(for: question), options, dictionaries: dictionaries)
    return CodeRanking.scores(found.attributions)
  }

  /// A causal method; of one that scores edges, the sum over the edges that leave each head.
  private static func causal(_ method: any AttributionMethod.Type) -> ComparedRanking {
    let questions = HeadQuestion.allCases.filter {
      method.replacements.contains($0.sourceReplacement)
    }
    return ComparedRanking(
      name: method.name, questions: questions.isEmpty ? HeadQuestion.allCases : questions
    ) { material, question in
      var options = AttributionOptions()
      let replacement = question.sourceReplacement
      options.replacement =
        method.replacements.contains(replacement)
        ? replacement : method.replacements.first ?? replacement
      options.steps = material.steps
      options.seed = material.seed
      options.tokenLimit = material.tokenLimit
      let result = try method.init().attribute(
        material.model, material.task(for: question), options, progress: { _, _ in })
      let summary = AttributionSummary(result, draws: 2, seed: 0)
      let graph = result.graph
      return (0..<graph.layers).flatMap { layer in
        (0..<graph.heads).map { head in
          graph.sourceIndex(of: .head(layer: layer, head: head)).map { abs(summary.nodes[$0].score) } ?? 0
        }
      }
    }
  }

  /// The change of learned activations from a recording at the answer.
  public static let change = ComparedRanking(name: "change") { material, _ in
    try recorded(material, at: .named("answer")) { recording in
      let trained = try TrainedAutoencoders.train(
        on: recording, protocol: .change, hyperparameters: recordedHyperparameters(recording),
        seed: material.seed)
      return try HeadScorer(recording, trained: trained, protocol: .change).scores
    }
  }

  /// O'Neill & Bui's published procedure.
  public static let paper = ComparedRanking(name: "paper") { material, _ in
    try recorded(material, at: .mean) { recording in
      let trained = try TrainedAutoencoders.train(
        on: recording, protocol: .paper, hyperparameters: recordedHyperparameters(recording),
        seed: material.seed)
      return try HeadScorer(recording, trained: trained, protocol: .paper).scores
    }
  }

  /// The norm of the paired difference at the answer, without any dictionary.
  public static let norm = ComparedRanking(name: "norm of the paired difference") {
    material, _ in
    try recorded(material, at: .named("answer")) { try pairedDifferenceNorms($0, averaging: false) }
  }

  private static func recordedHyperparameters(_ recording: Recording) -> Hyperparameters {
    Hyperparameters(examples: min(10, recording.examples.count))
  }

  private static func recorded(
    _ material: RankingMaterial, at position: RecordedPosition, _ body: (Recording) throws -> [Double]
  ) throws -> [Double] {
    let path = "\(material.scratch)/recording-\(UUID().uuidString).h5"
    let identity = ModelIdentity(name: "compared", weightsSHA256: "", dtype: "float32")
    let recorder = HeadRecorder(model: material.model, identity: identity, createdBy: "compare")
    defer { try? FileManager.default.removeItem(atPath: path) }
    return try body(recorder.record(material.prompts, position: position, to: path))
  }
}

/// The mean over rows.
func meanOverPrompts(_ rows: [[Double]]) -> [Double] {
  guard let first = rows.first else { return [] }
  return first.indices.map { index in rows.reduce(0) { $0 + $1[index] } / Double(rows.count) }
}
