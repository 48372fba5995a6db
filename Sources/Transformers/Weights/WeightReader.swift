// Finding a family's parameters in a checkpoint.

import Checkpoints
import Tensors

/// Reads the tensors of a checkpoint under the names that a family gives them.
struct WeightReader {
  private let checkpoint: SafetensorsCheckpoint
  private let prefix: String

  /// - Parameter prefix: what names begin with in some checkpoints and not in others, as `transformer.`; it is used
  ///   where `probe` exists only with it.
  init(_ checkpoint: SafetensorsCheckpoint, optionalPrefix prefix: String = "", probe: String = "") {
    self.checkpoint = checkpoint
    self.prefix = checkpoint.contains(prefix + probe) ? prefix : ""
  }

  /// Whether the checkpoint has a tensor, with the prefix or without.
  func contains(_ name: String) -> Bool { checkpoint.contains(prefix + name) || checkpoint.contains(name) }

  /// A tensor of a known shape, as float32.
  func tensor(_ name: String, _ shape: [Int]) throws -> Tensor {
    let name = stored(name)
    return try checkpoint.file(holding: name).tensor(name, shape: shape)
  }

  /// A tensor, or nil where the checkpoint has none of this name.
  func optionalTensor(_ name: String, _ shape: [Int]) throws -> Tensor? {
    contains(name) ? try tensor(name, shape) : nil
  }

  /// A matrix that may stay in its file until it is used.
  func weight(_ name: String, _ shape: [Int]) throws -> Weight {
    let name = stored(name)
    return try Weight(checkpoint.file(holding: name), name, shape: shape)
  }

  /// `name.weight` and, where `hasBias`, `name.bias`.
  func linear(
    _ name: String, _ orientation: Linear.Orientation, from inputs: Int, to outputs: Int, hasBias: Bool
  ) throws -> Linear {
    let shape = orientation == .inputOutput ? [inputs, outputs] : [outputs, inputs]
    return Linear(
      try weight(name + ".weight", shape), orientation,
      bias: hasBias ? try tensor(name + ".bias", [outputs]) : nil)
  }

  /// `name.weight` and, where `hasBias`, `name.bias`.
  func norm(_ name: String, _ width: Int, hasBias: Bool) throws -> NormWeights {
    NormWeights(
      gain: try tensor(name + ".weight", [width]),
      bias: hasBias ? try tensor(name + ".bias", [width]) : nil)
  }

  private func stored(_ name: String) -> String {
    checkpoint.contains(prefix + name) || !checkpoint.contains(name) ? prefix + name : name
  }
}
