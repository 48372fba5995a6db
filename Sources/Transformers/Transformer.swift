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
  let rotaryTables = RotaryTables()

  /// A model of given parts.
  public init(configuration: TransformerConfiguration, weights: TransformerWeights) {
    precondition(
      weights.blocks.count == configuration.layers && configuration.attention.count == configuration.layers,
      "\(weights.blocks.count) layers of parameters for \(configuration.layers)")
    self.configuration = configuration
    self.weights = weights
  }

  /// Loads a model: a folder with `config.json` and `model.safetensors`, or shards with an index; see `modelPath` for what
  /// else may be named.
  ///
  /// - Throws: `FileError`, `CheckpointError` or `TransformerError`, each naming what is wrong.
  public init(folder: String) throws {
    let source = try ModelSource(path: modelPath(folder))
    self.init(
      configuration: source.configuration,
      weights: try TransformerWeights(
        source.family.weights(source.checkpoint(), source.configuration), layers: source.configuration.layers)
    )
  }

  /// The architecture that a folder's `config.json` describes, without opening its weights.
  public static func configuration(ofFolder folder: String) throws -> TransformerConfiguration {
    try ModelSource(path: modelPath(folder)).configuration
  }

  /// Refuses a vocabulary with more tokens than the embedding has rows.
  /// - Throws: `TransformerError.vocabularyTooLarge`.
  public func checkVocabulary(of tokens: Int) throws(TransformerError) {
    guard tokens <= configuration.vocabulary else {
      throw .vocabularyTooLarge(tokens: tokens, embeddingRows: configuration.vocabulary)
    }
  }
}
