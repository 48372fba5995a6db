// A transformer: its architecture and its parameters.

import Checkpoints
import Files
import Tensors

/// A transformer language model.
///
/// ```swift
/// let model = try Transformer(folder: "gpt2")
/// let run = try model.run(TokenBatch([[464, 3290]]), reading: [.z(layer: 3), .logits])
/// print(run[.z(layer: 3)].shape)   // [1, 2, 12, 64]
/// ```
public struct Transformer: Sendable {
  /// What the model is made of.
  public let configuration: TransformerConfiguration
  /// The parameters.
  public var weights: TransformerWeights
  let rotaryTables: [RotaryConfiguration: RotaryTable]

  /// A model of given parts.
  public init(configuration: TransformerConfiguration, weights: TransformerWeights) {
    precondition(
      weights.blocks.count == configuration.layers && configuration.attention.count == configuration.layers,
      "\(weights.blocks.count) layers of parameters for \(configuration.layers)")
    self.configuration = configuration
    self.weights = weights
    let rotaries = Set(configuration.attention.compactMap(\.rotary))
    rotaryTables = Dictionary(
      uniqueKeysWithValues: rotaries.map { ($0, $0.table(length: configuration.context)) })
  }

  /// Loads a model folder: `config.json` and `model.safetensors`, or shards with an index.
  ///
  /// - Throws: `FileError`, `CheckpointError` or `TransformerError`, each naming what is wrong.
  public init(folder: String) throws {
    let (family, configuration) = try Self.describe(folder: folder)
    self.init(
      configuration: configuration,
      weights: try family.weights(SafetensorsCheckpoint(folder: folder), configuration))
  }

  /// The architecture that a folder's `config.json` describes, without opening its weights.
  public static func configuration(ofFolder folder: String) throws -> TransformerConfiguration {
    try describe(folder: folder).1
  }

  private static func describe(
    folder: String
  ) throws -> (any ModelFamily.Type, TransformerConfiguration) {
    var options = try ConfigurationReader(path: folder + "/config.json")
    guard let modelType = try options.optionalText("model_type") else {
      throw options.bad("model_type", "is missing")
    }
    guard let family = families.first(where: { $0.modelType == modelType }) else {
      throw TransformerError.unknownFamily(
        path: options.path, modelType: modelType, known: families.map { $0.modelType }.sorted())
    }
    let configuration = try family.configuration(&options)
    try options.finish()
    return (family, configuration)
  }

  /// Refuses a vocabulary with more tokens than the embedding has rows.
  /// - Throws: `TransformerError.vocabularyTooLarge`.
  public func checkVocabulary(of tokens: Int) throws(TransformerError) {
    guard tokens <= configuration.vocabulary else {
      throw .vocabularyTooLarge(tokens: tokens, embeddingRows: configuration.vocabulary)
    }
  }
}
