// A matrix of parameters: in memory, or in a file from which it is widened when it is needed.

import Checkpoints
import Tensors

/// A tensor of parameters.
///
/// Float32 parameters are resident: they lie in memory of their own or in a mapped file. Parameters stored in 16 bits
/// stay in their file; each use widens them anew, so that a model never takes twice its size.
public struct Weight: Sendable {
  private enum Source: Sendable {
    case resident(Tensor)
    case stored(SafetensorsFile, name: String, shape: [Int])
  }
  private var source: Source

  /// Parameters in memory.
  public init(_ tensor: Tensor) {
    source = .resident(tensor)
  }

  /// Parameters of a file: resident where the file's elements can be used in place.
  ///
  /// - Throws: `CheckpointError` where the tensor is missing, misshapen, or (where resident) holds values that are not
  ///   finite; stored ones are checked each time they are widened.
  init(_ file: SafetensorsFile, _ name: String, shape: [Int]) throws(CheckpointError) {
    try file.requireShape(shape, of: name)
    try file.requireReadableType(of: name)
    if file.isReadInPlace(name) {
      source = .resident(try file.tensor(name))
    } else {
      source = .stored(file, name: name, shape: shape)
    }
  }

  /// The length of every axis.
  public var shape: [Int] {
    switch source {
    case .resident(let tensor): tensor.shape
    case .stored(_, _, let shape): shape
    }
  }

  /// Whether the parameters are used where they lie, without widening.
  public var isResident: Bool {
    if case .resident = source { true } else { false }
  }

  /// The parameters, where they are used where they lie.
  var resident: Tensor? {
    if case .resident(let tensor) = source { tensor } else { nil }
  }

  /// The parameters as float32.
  /// - Throws: `CheckpointError.notFinite`.
  public func tensor() throws(CheckpointError) -> Tensor {
    switch source {
    case .resident(let tensor): return tensor
    case .stored(let file, let name, _):
      let tensor = try file.tensor(name)
      file.release(name)
      return tensor
    }
  }

  /// Starts to read parameters that lie in a file, so that they are there when they are used.
  func prefetch() {
    if case .stored(let file, let name, _) = source { file.prefetch(name) }
  }

  /// Hands over a matrix part by part, each as float32 `[rows, columns]` of the window; parameters in memory as one.
  ///
  /// A stored matrix is widened into one buffer of about 8 MB, part after part, so that it stays in cache between being
  /// widened and being used and takes no more memory than that.
  /// - Parameters:
  ///   - splittingRows: whether parts are rows; else columns.
  ///   - elements: about how many elements a part has.
  ///   - body: gets a part and the rows or columns that it holds.
  /// - Throws: `CheckpointError.notFinite`, and what `body` throws.
  func forEachPart(
    splittingRows: Bool, elements: Int = 2 << 20, _ body: (Tensor, Range<Int>) throws -> Void
  ) throws {
    let axis = splittingRows ? 0 : 1
    guard case .stored(let file, let name, let shape) = source, file.isWidenedInParts(name) else {
      return try body(tensor(), 0..<shape[axis])
    }
    let other = shape[1 - axis]
    let length = max(64, elements / max(other, 1) / 64 * 64)
    var buffer = Tensor(zeros: [0])
    for start in stride(from: 0, to: shape[axis], by: length) {
      let range = start..<min(start + length, shape[axis])
      if buffer.count != range.count * other { buffer = Tensor(uninitialized: [range.count * other]) }
      try file.widen(
        rows: splittingRows ? range : 0..<shape[0], columns: splittingRows ? 0..<shape[1] : range, of: name,
        into: &buffer)
      try body(buffer, range)
    }
    file.release(name)
  }

  /// Some rows of the first axis, each widened alone.
  /// - Throws: `CheckpointError.notFinite`.
  func rows(_ indices: [Int32]) throws(CheckpointError) -> Tensor {
    switch source {
    case .resident(let tensor): return tensor.gatherRows(indices)
    case .stored(let file, let name, let shape):
      let distinct = Set(indices).sorted()
      let places = Dictionary(uniqueKeysWithValues: distinct.enumerated().map { ($1, Int32($0)) })
      var table = Tensor(zeros: [distinct.count] + shape.dropFirst())
      for (place, index) in distinct.enumerated() {
        let row = try file.rows(Int(index)..<Int(index) + 1, of: name)
        table.scatterRows(row, to: [Int32(place)])
      }
      return table.gatherRows(indices.map { places[$0] ?? 0 })
    }
  }

  /// Changes resident parameters.
  /// - Precondition: `isResident`.
  public mutating func update(_ body: (inout Tensor) throws -> Void) rethrows {
    guard case .resident(var tensor) = source else {
      preconditionFailure("parameters of shape \(shape) lie in a file and cannot be changed there")
    }
    // Let go of the stored copy first, so that `body` changes the elements in place.
    source = .resident(Tensor(zeros: []))
    defer { source = .resident(tensor) }
    try body(&tensor)
  }
}
