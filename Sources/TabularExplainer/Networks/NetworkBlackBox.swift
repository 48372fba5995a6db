// A trained network with its encoder: a black box that can also be probed by gradients and attention.

import FoundationEssentials
import Tables
import Tensors

/// A neural network on a table.
///
///     let network = try NetworkBlackBox(
///       fitting: features, target, .convolutionalAttention(.init()), seed: 7)
///     let probabilities = try network.predict(features)
public struct NetworkBlackBox: BlackBox {
  /// The classes' names, or one name for a regression.
  public let outputNames: [String]
  /// The shape of the network.
  public let architecture: NetworkArchitecture
  /// How rows become numbers.
  public let encoder: DesignEncoder
  /// The seed of weights, order of rows and dropout.
  public let seed: UInt64
  /// How predictions are made from logits.
  let output: Output
  let network: any DifferentiableNetwork

  enum Output: Sendable, Equatable, Codable {
    /// Softmax over classes.
    case classes
    /// `mean + scale · logit`.
    case quantity(mean: Float, scale: Float)
  }

  /// A network from its parts, as read from a file.
  init(
    outputNames: [String], architecture: NetworkArchitecture, encoder: DesignEncoder, seed: UInt64,
    output: Output, network: any DifferentiableNetwork
  ) {
    self.outputNames = outputNames
    self.architecture = architecture
    self.encoder = encoder
    self.seed = seed
    self.output = output
    self.network = network
  }

  /// Trains a network.
  /// - Parameters:
  ///   - targetName: what a regression's output is called.
  ///   - training: nil for `architecture.usualTraining`.
  /// - Throws: `TabularExplainerError.nothingToLearn` where there is no row, no feature, or a regression target
  ///   without a finite value.
  public init(
    fitting features: Features, _ target: Target, _ architecture: NetworkArchitecture,
    training: NetworkTraining? = nil, targetName: String = "prediction", seed: UInt64
  ) throws {
    precondition(features.rowCount == target.count, "\(features.rowCount) rows, \(target.count) targets")
    guard features.rowCount > 0, features.count > 0 else {
      throw TabularExplainerError.nothingToLearn(rows: features.rowCount, features: features.count)
    }
    let training = training ?? architecture.usualTraining(rows: features.rowCount)
    let encoder = DesignEncoder(fitting: features)
    let design = try encoder.encode(features)
    let loss: NetworkLoss
    switch target {
    case .classes(let labels, let names):
      outputNames = names
      output = .classes
      loss = .classes(labels, weights: Self.weights(labels, count: names.count, training.classWeights))
    case .values(let values):
      guard values.allSatisfy({ $0.isFinite }) else {
        throw TabularExplainerError.nothingToLearn(rows: 0, features: features.count)
      }
      let mean = values.reduce(0.0) { $0 + Double($1) } / Double(values.count)
      let variance = values.reduce(0.0) { $0 + (Double($1) - mean) * (Double($1) - mean) }
      let deviation = max((variance / Double(values.count)).squareRoot(), 1e-12)
      outputNames = [targetName]
      output = .quantity(mean: Float(mean), scale: Float(deviation))
      loss = .quantities(values.map { Float((Double($0) - mean) / deviation) })
    }
    var network = architecture.makeNetwork(design: design, outputs: outputNames.count, seed: seed)
    network.train(on: design, loss, training, seed: seed)
    self.architecture = architecture
    self.encoder = encoder
    self.seed = seed
    self.network = network
  }

  private static func weights(_ labels: [Int], count: Int, _ rule: NetworkTraining.ClassWeights) -> [Double] {
    guard rule == .balanced else { return [Double](repeating: 1, count: labels.count) }
    var sizes = [Double](repeating: 0, count: count)
    for label in labels { sizes[label] += 1 }
    let present = Double(sizes.count { $0 > 0 })
    return labels.map { Double(labels.count) / (present * sizes[$0]) }
  }

  /// Predictions for every row: class probabilities, or one quantity.
  /// - Throws: `TableError` where a feature of the model is not among `features`.
  public func predict(_ features: Features) throws -> Tensor {
    predictions(network.logitsInBatches(try encoder.encode(features)))
  }

  /// From logits to predictions.
  func predictions(_ logits: Tensor) -> Tensor {
    switch output {
    case .classes: logits.softmaxOfRows()
    case .quantity(let mean, let scale): Tensor(logits.values.map { mean + scale * $0 }, shape: logits.shape)
    }
  }
}
