// Which network to build, and how it is usually trained.

import NeuralNetworks
import Tensors

/// The shape of a network.
public enum NetworkArchitecture: Sendable, Equatable, Codable {
  case perceptron(Perceptron)
  case convolutionalAttention(ConvolutionalAttention)

  /// A multi-layer perceptron.
  public struct Perceptron: Sendable, Equatable, Codable {
    /// The width of every hidden layer.
    public var hidden: [Int] = [64, 32]
    /// What stands between layers.
    public var activation: NetworkActivation = .relu
    /// The share of hidden values dropped in training.
    public var dropout: Float = 0.1

    /// Two hidden layers of 64 and 32 rectifiers, dropout 0.1.
    public init(hidden: [Int] = [64, 32], activation: NetworkActivation = .relu, dropout: Float = 0.1) {
      self.hidden = hidden
      self.activation = activation
      self.dropout = dropout
    }
  }

  /// The convolutional autoencoder with a self-attention head (CAE-SAN).
  public struct ConvolutionalAttention: Sendable, Equatable, Codable {
    /// The number of attention heads.
    public var headCount = 2
    /// The rank of each head's matrix beside its diagonal.
    public var rank = 4
    /// The width of the layer between attention and logits.
    public var hidden = 64
    /// The share of attended cells and hidden values dropped in training.
    public var dropout: Float = 0.2
    /// The share of the reconstruction's mean squared error in the loss.
    public var reconstructionWeight: Float = 1

    /// Two heads of rank 4, hidden 64, dropout 0.2.
    public init() {}
  }

  /// A network of this shape with fresh weights.
  func makeNetwork(design: Tensor, outputs: Int, seed: UInt64) -> any DifferentiableNetwork {
    switch self {
    case .perceptron:
      makeNetwork(columnCount: design.shape[1], layout: nil, outputs: outputs, seed: seed)
    case .convolutionalAttention:
      makeNetwork(
        columnCount: design.shape[1], layout: SquareLayout(of: design, seed: seed), outputs: outputs,
        seed: seed)
    }
  }

  /// A network of this shape with fresh weights, on a layout that is known already.
  func makeNetwork(
    columnCount: Int, layout: SquareLayout?, outputs: Int, seed: UInt64
  ) -> any DifferentiableNetwork {
    var generator = SeededGenerator(seed: seed, stream: "network weights")
    switch self {
    case .perceptron(let shape):
      return PerceptronNetwork(
        inputs: columnCount, outputs: outputs, hidden: shape.hidden, activation: shape.activation,
        dropout: shape.dropout, using: &generator)
    case .convolutionalAttention(let shape):
      return ConvolutionalAttentionNetwork(
        layout: layout ?? SquareLayout(order: Array(0..<columnCount)), outputs: outputs,
        headCount: shape.headCount, rank: shape.rank, hidden: shape.hidden, dropout: shape.dropout,
        reconstructionWeight: shape.reconstructionWeight, using: &generator)
    }
  }

  /// Settings that serve tables of `rows` rows.
  ///
  /// Below 400 rows a held-out share would cost more than it decides; such tables are trained for a fixed number of
  /// steps in small batches, with more weight decay.
  public func usualTraining(rows: Int) -> NetworkTraining {
    guard rows >= 400 else {
      let batchSize = 8
      let stepsAnEpoch = max(1, (rows + batchSize / 2) / batchSize)
      return NetworkTraining(
        epochs: max(12, 300 / stepsAnEpoch), batchSize: batchSize,
        optimizer: AdamW(learningRate: 1e-3, weightDecay: 0.1))
    }
    let epochs =
      switch self {
      case .perceptron: 60
      case .convolutionalAttention: 40
      }
    return NetworkTraining(
      epochs: epochs, batchSize: 64, optimizer: AdamW(learningRate: 2e-3, weightDecay: 0.01),
      heldOutShare: 0.15)
  }
}
