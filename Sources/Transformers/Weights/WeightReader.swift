// Finding a family's parameters in a checkpoint.

import Checkpoints
import Tensors

/// Reads the tensors of a checkpoint under the names that a family gives them.
struct WeightReader {
  private let checkpoint: SafetensorsCheckpoint
  private let prefix: String

  /// - Parameter prefix: what names begin with in some checkpoints and not in others, as `transformer.`; it is used
  ///   where `probe` exists only with it, and in files that hold some layers alone where any name begins so.
  init(_ checkpoint: SafetensorsCheckpoint, optionalPrefix prefix: String = "", probe: String = "") {
    self.checkpoint = checkpoint
    let isPrefixed =
      checkpoint.contains(prefix + probe)
      || !checkpoint.contains(probe) && checkpoint.names.contains { $0.hasPrefix(prefix) }
    self.prefix = isPrefixed ? prefix : ""
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

  /// The gains of `count` coordinates, however many axes they are stored in.
  func gains(_ name: String, count: Int) throws -> Tensor {
    let stored = stored(name)
    let file = try checkpoint.file(holding: stored)
    let shape = try file.entry(stored).shape
    return shape.reduce(1, *) == count
      ? try file.tensor(stored).reshaped([count]) : try file.tensor(stored, shape: [count])
  }

  /// The first row of a table, as float32.
  func firstRow(_ name: String, width: Int) throws -> Tensor {
    let name = stored(name)
    let file = try checkpoint.file(holding: name)
    let shape = try file.entry(name).shape
    guard shape.count == 2, shape[0] > 0, shape[1] == width else {
      throw CheckpointError.wrongShape(path: file.path, tensor: name, found: shape, expected: [1, width])
    }
    return try file.rows(0..<1, of: name).reshaped([width])
  }

  /// The number of columns of a matrix.
  func columnCount(of name: String) throws -> Int {
    let name = stored(name)
    let file = try checkpoint.file(holding: name)
    let shape = try file.entry(name).shape
    guard shape.count == 2 else {
      throw CheckpointError.wrongShape(path: file.path, tensor: name, found: shape, expected: [1, 1])
    }
    return shape[1]
  }

  /// A matrix that may stay in its file until it is used.
  func weight(_ name: String, _ shape: [Int]) throws -> Weight {
    let name = stored(name)
    let file = try checkpoint.file(holding: name)
    return try Weight(file, name, shape: shape, scale: scale(of: name, shape, in: file))
  }

  /// Some rows of a matrix (which has no factors of its own), such as one of several maps that are stored together.
  func weight(_ name: String, rows: Range<Int>, of shape: [Int]) throws -> Weight {
    let name = stored(name)
    return try Weight(
      checkpoint.file(holding: name), name, in: shape, shape: [rows.count, shape[1]],
      offset: rows.lowerBound * shape[1])
  }

  /// One matrix of a tensor of several `[matrices, rows, columns]`, or some of its rows.
  func weight(_ name: String, matrix index: Int, rows: Range<Int>? = nil, of shape: [Int]) throws -> Weight {
    let name = stored(name)
    let rows = rows ?? 0..<shape[1]
    return try Weight(
      checkpoint.file(holding: name), name, in: shape, shape: [rows.count, shape[2]],
      offset: (index * shape[1] + rows.lowerBound) * shape[2])
  }

  /// One matrix of several in 4-bit floats; nil where the checkpoint has none under this name.
  func microscaled(_ name: String, matrix index: Int, of count: Int, shape: [Int]) throws -> Weight? {
    guard contains(name + "_blocks") else { return nil }
    let name = String(stored(name + "_blocks").dropLast("_blocks".count))
    return Weight(try MicroscaledMatrix(checkpoint, name, index: index, of: count, shape: shape))
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

  /// Several maps `[outputs, inputs]` that are stored one below the other under one name.
  func linears(
    _ name: String, from inputs: Int, to outputs: [Int], hasBias: Bool
  ) throws -> [Linear] {
    let total = outputs.reduce(0, +)
    let bias = hasBias ? try tensor(name + ".bias", [total]) : nil
    var first = 0
    return try outputs.map { count in
      defer { first += count }
      return Linear(
        try weight(name + ".weight", rows: first..<first + count, of: [total, inputs]), .outputInput,
        bias: bias?.rows(first..<first + count))
    }
  }

  /// `name.weight` and, where `hasBias`, `name.bias`.
  func norm(_ name: String, _ width: Int, hasBias: Bool) throws -> NormWeights {
    NormWeights(
      gain: try tensor(name + ".weight", [width]),
      bias: hasBias ? try tensor(name + ".bias", [width]) : nil)
  }

  /// The factors of a matrix of 8-bit floats; nil for other matrices and where there are none.
  private func scale(of name: String, _ shape: [Int], in file: SafetensorsFile) throws -> BlockScale? {
    guard file.isFloat8(name), shape.count == 2 else { return nil }
    guard let scale = ["_scale_inv", "_scale"].map({ name + $0 }).first(where: checkpoint.contains) else {
      return nil
    }
    return try BlockScale(
      checkpoint.file(holding: scale), scale, of: shape, block: checkpoint.scaledBlock)
  }

  private func stored(_ name: String) -> String {
    checkpoint.contains(prefix + name) || !checkpoint.contains(name) ? prefix + name : name
  }
}
