// Which transformer is trained: the choices that the forward and backward passes depend on.

import Tensors

/// The shape of a transformer that can be trained: pre-norm blocks of attention and, unless left out, an MLP.
public struct TrainableArchitecture: Sendable, Equatable {
  /// The MLP of a block.
  public struct MLP: Sendable, Equatable {
    /// Neurons.
    public var width: Int
    /// What a neuron does with its input.
    public var activation: Activation

    /// An MLP of `width` neurons.
    public init(width: Int, activation: Activation = .geluTanh) {
      self.width = width
      self.activation = activation
    }
  }

  /// Tokens in the vocabulary.
  public var vocabulary: Int
  /// The most tokens in a sequence.
  public var context: Int
  /// Blocks.
  public var layers: Int
  /// Attention heads in a block.
  public var heads: Int
  /// Width of the residual stream, d_model.
  public var modelWidth: Int
  /// Width of a head's queries, keys and values, d_head.
  public var headWidth: Int
  /// The MLP after each attention; nil for attention only.
  public var mlp: MLP?
  /// Added to the variance in layer norms; nil where nothing is normalised.
  public var normEpsilon: Float?
  /// Whether each position has a learned vector.
  public var hasPositions = true
  /// Factor on the products of queries and keys; 1/√headWidth unless changed.
  public var scoreScale: Float
  /// Whether a position sees only itself and earlier ones.
  public var isCausal = true
  /// Whether attention and MLP products have biases.
  public var hasBiases = true
  /// Whether the unembedding is the embedding, transposed.
  public var tiesUnembedding = true
  /// Whether logits have a bias of their own.
  public var hasUnembeddingBias = false

  /// GPT-2's choices; the properties change them.
  public init(
    vocabulary: Int, context: Int, layers: Int, heads: Int, modelWidth: Int, headWidth: Int? = nil,
    mlp: MLP?, normEpsilon: Float? = 1e-5
  ) {
    self.vocabulary = vocabulary
    self.context = context
    self.layers = layers
    self.heads = heads
    self.modelWidth = modelWidth
    let width = headWidth ?? modelWidth / heads
    self.headWidth = width
    scoreScale = 1 / Float(width).squareRoot()
    self.mlp = mlp
    self.normEpsilon = normEpsilon
  }

  /// Width of all heads together.
  var headsWidth: Int { heads * headWidth }
}
