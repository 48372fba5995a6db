// The discrete autoencoder itself: weights, forward pass, codes.

import Tensors

/// A sparse autoencoder with tied bias, shared by all heads of a model.
///
/// `pre = (x − b)·W_encᵀ + c`, `f = relu(pre)`, `x̂ = f·W_decᵀ + b`, with every row of W_enc and of W_dec scaled to unit
/// length first (O'Neill & Bui 2024, section 3, and their code; a decoder's row belongs to an output dimension).
public struct SparseAutoencoder: Sendable, Equatable {
  /// W_enc, `[features, d_model]`, as the optimiser left it: not of unit rows.
  public var encoder: Tensor
  /// c, `[features]`.
  public var encoderBias: Tensor
  /// W_dec, `[d_model, features]`, as the optimiser left it: not of unit rows.
  public var decoder: Tensor
  /// b, `[d_model]`.
  public var tiedBias: Tensor

  /// The number of learned features.
  public var features: Int { encoder.shape[0] }
  /// The width of the samples.
  public var width: Int { encoder.shape[1] }

  /// An autoencoder of the given weights.
  public init(encoder: Tensor, encoderBias: Tensor, decoder: Tensor, tiedBias: Tensor) {
    precondition(
      encoder.rank == 2 && decoder.shape == [encoder.shape[1], encoder.shape[0]]
        && encoderBias.count == encoder.shape[0] && tiedBias.count == encoder.shape[1],
      "encoder \(encoder.shape), decoder \(decoder.shape), biases \(encoderBias.shape) and \(tiedBias.shape)")
    self.encoder = encoder
    self.encoderBias = encoderBias
    self.decoder = decoder
    self.tiedBias = tiedBias
  }

  /// Weights as the method draws them: standard normal, c uniform in ±1/√d_model, b zero.
  public init(features: Int, width: Int, generator: inout SeededGenerator) {
    func normals(_ shape: [Int]) -> Tensor {
      Tensor((0..<shape.reduce(1, *)).map { _ in Float(generator.normal()) }, shape: shape)
    }
    let bound = 1 / Double(width).squareRoot()
    let encoder = normals([features, width])
    let bias = (0..<features).map { _ in Float((2 * generator.uniform() - 1) * bound) }
    self.init(
      encoder: encoder, encoderBias: Tensor(bias), decoder: normals([width, features]),
      tiedBias: Tensor(zeros: [width]))
  }

  /// The learned activations f of samples `[samples, d_model]`: `[samples, features]`, none negative.
  public func activations(of samples: Tensor) -> Tensor { UnitEncoder(self).activations(of: samples) }

  /// What the autoencoder makes of samples `[samples, d_model]` from their activations.
  public func reconstruction(of samples: Tensor) -> Tensor {
    var unit = decoder
    unit.scaleRowsToUnitLength()
    var decoded = matrixProduct(activations(of: samples), unit, transposingB: true)
    let bias = tiedBias.values
    decoded.withMutableValues { values in
      for index in 0..<values.count { values[index] += bias[index % bias.count] }
    }
    return decoded
  }
}

/// An autoencoder's encoder with its rows scaled to unit length, ready for many batches of samples.
public struct UnitEncoder: Sendable {
  private let rows: Tensor
  /// c − W_enc·b, which is what the tied bias amounts to.
  private let offsets: Tensor

  /// The encoder of an autoencoder.
  public init(_ autoencoder: SparseAutoencoder) {
    var rows = autoencoder.encoder
    rows.scaleRowsToUnitLength()
    self.rows = rows
    let pull = matrixProduct(autoencoder.tiedBias.reshaped([1, autoencoder.width]), rows, transposingB: true)
    offsets = Tensor(zip(autoencoder.encoderBias.values, pull.values).map { $0 - $1 })
  }

  /// The learned activations f of samples `[samples, d_model]`: `[samples, features]`, none negative.
  public func activations(of samples: Tensor) -> Tensor {
    precondition(samples.shape.last == rows.shape[1], "samples \(samples.shape) for width \(rows.shape[1])")
    var activations = matrixProduct(samples, rows, transposingB: true)
    activations.addToRows(offsets)
    activations.activate(.relu)
    return activations
  }
}

/// What stands for a sample whose activations are all zero.
public enum EmptyCode: String, Codable, Hashable, Sendable {
  /// Code 0, as in the authors' code, where it cannot be told from feature 0.
  case zero
  /// −1, which is no code and counts nowhere.
  case none
}

/// The code of each sample: its most active feature, the first of equals.
/// - Parameter activations: `[samples, features]`, none negative.
public func codes(of activations: Tensor, empty: EmptyCode) -> [Int32] {
  let features = activations.shape[1]
  return activations.withValues { values in
    (0..<activations.shape[0]).map { sample in
      let start = sample * features
      var best = -1
      var largest: Float = 0
      for feature in 0..<features where values[start + feature] > largest {
        largest = values[start + feature]
        best = feature
      }
      return Int32(best < 0 && empty == .zero ? 0 : best)
    }
  }
}
