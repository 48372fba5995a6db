// Training one autoencoder, a full-batch step at a time.

import Tensors

/// What a training run is made of.
public struct Hyperparameters: Hashable, Codable, Sendable {
  /// The number of learned features: 200 in the paper.
  public var features: Int
  /// λ, the weight of the L1 norm in the loss: 0.02 in the paper, 0.05 for its docstring task.
  public var sparsity: Double
  /// Keep this many activations a sample in place of the L1 norm; nil for the paper's penalty.
  public var activeFeatures: Int?
  /// Full-batch steps: 500 in the paper.
  public var epochs: Int
  /// Adam's learning rate: 1e-3 in the paper.
  public var learningRate: Double
  /// The number of examples trained on: 5 to 10 in the paper.
  public var examples: Int

  /// Hyperparameters; the defaults are the paper's.
  public init(
    features: Int = 200, sparsity: Double = 0.02, activeFeatures: Int? = nil, epochs: Int = 500,
    learningRate: Double = 1e-3, examples: Int = 10
  ) {
    self.features = features
    self.sparsity = sparsity
    self.activeFeatures = activeFeatures
    self.epochs = epochs
    self.learningRate = learningRate
    self.examples = examples
  }

  /// Refuses values that cannot be trained with.
  public func validate() throws(SparseAutoencoderError) {
    func require(_ holds: Bool, _ name: String, _ value: some Any, _ allowed: String)
      throws(SparseAutoencoderError)
    {
      if !holds { throw .badHyperparameter(name: name, value: "\(value)", allowed: allowed) }
    }
    try require((1...65_536).contains(features), "features", features, "1 to 65536")
    try require(sparsity >= 0 && sparsity.isFinite, "lambda", sparsity, "0 or more")
    try require((1...1_000_000).contains(epochs), "epochs", epochs, "1 to 1000000")
    try require(learningRate > 0 && learningRate.isFinite, "learning-rate", learningRate, "above 0")
    try require(examples >= 1, "examples", examples, "1 or more")
    try require(
      (1...features).contains(activeFeatures ?? 1), "top-k", activeFeatures ?? 1, "1 to \(features)")
  }
}

/// An autoencoder in training on a fixed set of samples.
///
/// Loss = mean((x̂ − x)²) over all entries + λ · mean over samples of ‖f‖₁; rows are scaled to unit length at the start of
/// each step, the gradient's part along each row is removed, and Adam follows (O'Neill & Bui 2024, section 3).
public struct AutoencoderTrainer: Sendable {
  private var state: TiedAutoencoderState

  /// A trainer before its first step, on samples `[samples, d_model]`.
  public init(_ autoencoder: SparseAutoencoder, samples: Tensor, hyperparameters: Hyperparameters) {
    let rule: ActivationRule =
      hyperparameters.activeFeatures.map { .largest($0) }
      ?? .penalised(weight: Float(hyperparameters.sparsity))
    state = TiedAutoencoderState(
      encoder: autoencoder.encoder, encoderBias: autoencoder.encoderBias.values,
      directions: autoencoder.decoder.transposed(), tiedBias: autoencoder.tiedBias.values, samples: samples,
      rule: rule, learningRate: Float(hyperparameters.learningRate))
  }

  /// One full-batch step.
  /// - Returns: the loss before the update.
  public mutating func step() -> Double { state.step() }

  /// The autoencoder as it is now.
  public var autoencoder: SparseAutoencoder {
    SparseAutoencoder(
      encoder: state.encoder, encoderBias: Tensor(state.encoderBias), decoder: state.directions.transposed(),
      tiedBias: state.tiedBias)
  }
}
