// dictionary.safetensors: a dictionary's weights as tensors, how it was made as text in the header.

import Checkpoints
import Tensors

extension SparseDictionary {
  private static let format = "headlamp dictionary 1"

  /// Writes the dictionary, whole or not at all: `encoder.weight` [features, d_model], `encoder.bias`, `decoder.weight`
  /// [features, d_model] (a direction a row), `decoder.bias`, and `head_scale` [layers · heads] where heads' outputs are
  /// divided by one before they are read.
  /// - Parameter metadata: how it was made.
  public func save(to path: String, headScales: [Float]? = nil, metadata: [String: String]) throws {
    var header = metadata
    header["format"] = Self.format
    switch selection {
    case .all: break
    case .largest(let count): header["active_features"] = String(count)
    case .above(let threshold): header["threshold"] = "\(threshold)"
    }
    var tensors: [String: SafetensorsValue] = [
      "encoder.weight": .float(encoder), "encoder.bias": .float(encoderBias),
      "decoder.weight": .float(directions), "decoder.bias": .float(bias),
    ]
    if let headScales { tensors["head_scale"] = .float(Tensor(headScales)) }
    try writeSafetensors(tensors, metadata: header, to: path)
  }

  /// Reads what `save` wrote.
  /// - Throws: `SparseAutoencoderError.notAnAutoencoder` for any other safetensors file; `CheckpointError` for a damaged
  ///   one.
  public init(path: String) throws {
    let file = try SafetensorsFile(path: path)
    guard file.metadata["format"] == Self.format else {
      throw SparseAutoencoderError.notAnAutoencoder(path: path, problem: "its header names another format")
    }
    let encoder = try file.tensor("encoder.weight")
    guard encoder.rank == 2 else {
      throw SparseAutoencoderError.notAnAutoencoder(path: path, problem: "its encoder is no matrix")
    }
    self.init(
      encoder: encoder, encoderBias: try file.tensor("encoder.bias", shape: [encoder.shape[0]]),
      directions: try file.tensor("decoder.weight", shape: encoder.shape),
      bias: try file.tensor("decoder.bias", shape: [encoder.shape[1]]),
      selection: file.metadata["active_features"].flatMap { Int($0) }.map { .largest($0) }
        ?? file.metadata["threshold"].flatMap { Float($0) }.map { .above($0) } ?? .all)
  }
}
