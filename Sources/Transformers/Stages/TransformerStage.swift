// Consecutive layers of a model, for processes that each hold some of them.

import Checkpoints
import Files
import Tensors

/// Some consecutive layers of a model, with the embedding where the first layer is among them.
///
/// ```swift
/// let front = try TransformerStage(folder: "gpt2", layers: 0..<6)
/// let back = try TransformerStage(folder: "gpt2", layers: 6..<12)
/// var (low, high) = (Tensor(zeros: [0]), Tensor(zeros: [0]))
/// let handed = try front.headOutputs(of: batch, pooling: .last, from: nil, into: &low)
/// _ = try back.headOutputs(of: batch, pooling: .last, from: handed.stream, into: &high)
/// ```
public struct TransformerStage: Sendable {
  /// What one stage hands on.
  public struct HandedOn: Sendable {
    /// The residual stream behind the stage's last layer `[rows, d_model]`, a row for each token that is computed; nil
    /// behind the model's last layer, whose MLP is not computed.
    public var stream: Tensor?
    /// The numbers of the codes that the stage's heads' codebooks chose, shaped as its outputs with the number of active
    /// codes in the place of d_model, −1 past each prompt's end; nil for a model without them, and for means.
    public var codes: Tensor?
  }

  /// What the whole model is made of.
  public let configuration: TransformerConfiguration
  /// The layers that are here.
  public let layers: Range<Int>
  let embedding: EmbeddingWeights?
  let blocks: [BlockWeights]
  let rotaryTables: RotaryTables

  /// Whether the model's last layer is here.
  public var isLast: Bool { layers.upperBound == configuration.layers }

  /// Loads some layers of a model's folder, and opens no tensor of another layer nor of what stands behind the last one.
  ///
  /// - Throws: `FileError`, `CheckpointError` or `TransformerError`, each naming what is wrong.
  /// - Precondition: the model has these layers, and there is at least one.
  public init(folder: String, layers: Range<Int>) throws {
    let source = try ModelSource(path: modelPath(folder))
    configuration = source.configuration
    precondition(
      !layers.isEmpty && layers.lowerBound >= 0 && layers.upperBound <= configuration.layers,
      "layers \(layers) of \(configuration.layers)")
    let parts = try source.family.weights(source.checkpoint(), source.configuration)
    self.layers = layers
    embedding = layers.lowerBound == 0 ? try parts.embedding() : nil
    blocks = try layers.map(parts.block)
    rotaryTables = RotaryTables()
  }

  /// All layers of a model.
  init(_ model: Transformer) {
    configuration = model.configuration
    layers = 0..<model.configuration.layers
    embedding = model.weights.embedding
    blocks = model.weights.blocks
    rotaryTables = model.rotaryTables
  }
}
