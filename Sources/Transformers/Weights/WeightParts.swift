// Where a model's parameters are, as its family says: the parts before, in and behind the layers, each read only when it is
// asked for, so that a process that holds some layers opens no others.

import Checkpoints
import Tensors

/// The parameters in front of the first layer.
struct EmbeddingWeights: Sendable {
  /// `[vocabulary, d_model]`
  var tokens: Weight
  /// `[context, d_model]`, where positions are learned.
  var positions: Tensor?
  /// Added to every embedding `[d_model]`.
  var segment: Tensor?
  /// The normalisation of the first residual stream.
  var norm: NormWeights?
}

/// The parameters behind the last layer.
struct OutputWeights: Sendable {
  /// d_model → d_model, before the final normalisation.
  var transform: Linear?
  /// The normalisation before the unembedding.
  var finalNorm: NormWeights?
  /// d_model → vocabulary; nil where the token embedding serves for both ends.
  var unembedding: Linear?
  /// Added to the logits where the embedding is tied and yet has a bias `[vocabulary]`.
  var tiedBias: Tensor?
}

/// A model's parameters, not read yet.
struct WeightParts {
  /// Reads what stands in front of the layers.
  var embedding: () throws -> EmbeddingWeights
  /// Reads one layer.
  var block: (_ layer: Int) throws -> BlockWeights
  /// Reads what stands behind the layers.
  var output: () throws -> OutputWeights
}

extension TransformerWeights {
  /// All parts of a model of so many layers.
  /// - Throws: what reading throws, `CheckpointError` above all.
  init(_ parts: WeightParts, layers: Int) throws {
    let (embedding, output) = (try parts.embedding(), try parts.output())
    self.init(
      tokenEmbedding: embedding.tokens, positionEmbedding: embedding.positions,
      blocks: try (0..<layers).map(parts.block), finalNorm: output.finalNorm,
      unembedding: output.unembedding, tiedUnembeddingBias: output.tiedBias)
    segmentEmbedding = embedding.segment
    embeddingNorm = embedding.norm
    outputTransform = output.transform
  }

  /// The parameters in front of the first layer.
  var embedding: EmbeddingWeights {
    EmbeddingWeights(
      tokens: tokenEmbedding, positions: positionEmbedding, segment: segmentEmbedding, norm: embeddingNorm)
  }
}

extension SafetensorsCheckpoint {
  /// The first layer that the file has tensors of, by which optional tensors are found; 0 where it has none.
  var firstLayer: Int { names.compactMap(Self.layer(of:)).min() ?? 0 }

  /// The layer that a tensor belongs to, by the first number in its name: 3 for `model.layers.3.mlp.experts.0.w1.weight`.
  static func layer(of name: String) -> Int? {
    name.split(separator: ".").lazy.compactMap { Int($0) }.first { $0 >= 0 }
  }
}
