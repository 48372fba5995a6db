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
    /// The elements from `offset` on.
    case stored(SafetensorsFile, name: String, shape: [Int], offset: Int, scale: BlockScale?)
    /// 4-bit floats with common exponents.
    case microscaled(MicroscaledMatrix)
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
  init(
    _ file: SafetensorsFile, _ name: String, shape: [Int], scale: BlockScale? = nil
  ) throws(CheckpointError) {
    try file.requireShape(shape, of: name)
    try file.requireReadableType(of: name)
    if file.isReadInPlace(name) {
      source = .resident(try file.tensor(name))
    } else {
      source = .stored(file, name: name, shape: shape, offset: 0, scale: scale)
    }
  }

  /// A matrix of 4-bit floats, widened when it is used.
  init(_ matrix: MicroscaledMatrix) {
    source = .microscaled(matrix)
  }

  /// One matrix of several that lie one after the other in a tensor of a file, to be read when it is used.
  ///
  /// - Parameters:
  ///   - whole: the shape of the tensor.
  ///   - shape: the shape of the matrix, as wide as the tensor.
  ///   - offset: the element with which it begins.
  /// - Throws: `CheckpointError` where the tensor is missing or misshapen.
  init(
    _ file: SafetensorsFile, _ name: String, in whole: [Int], shape: [Int], offset: Int
  ) throws(CheckpointError) {
    precondition(
      shape.count == 2 && shape[1] == whole.last && offset + shape[0] * shape[1] <= whole.reduce(1, *),
      "\(shape) from element \(offset) of \(whole)")
    try file.requireShape(whole, of: name)
    try file.requireReadableType(of: name)
    guard file.isWidenedInParts(name) else {
      let all = try file.tensor(name)
      let part = all.reshaped([all.count]).rows(offset..<offset + shape[0] * shape[1])
      source = .resident(part.reshaped(shape))
      return
    }
    source = .stored(file, name: name, shape: shape, offset: offset, scale: nil)
  }

  /// The length of every axis.
  public var shape: [Int] {
    switch source {
    case .resident(let tensor): tensor.shape
    case .stored(_, _, let shape, _, _): shape
    case .microscaled(let matrix): matrix.shape
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
    case .microscaled(let matrix):
      var tensor = Tensor(uninitialized: matrix.shape)
      matrix.widen(rows: 0..<matrix.shape[0], columns: 0..<matrix.shape[1], into: &tensor)
      return tensor
    case .stored(let file, let name, let shape, let offset, let scale):
      guard try file.entry(name).shape != shape else {
        var tensor = try file.tensor(name)
        file.release(name)
        scale?.apply(to: &tensor, rows: 0..<shape[0], columns: 0..<shape[1])
        return tensor
      }
      var tensor = Tensor(uninitialized: shape)
      try file.widen(
        rows: 0..<shape[0], columns: 0..<shape[1], of: name, offset: offset, into: &tensor)
      return tensor
    }
  }

  /// Starts to read parameters that lie in a file, so that they are there when they are used.
  func prefetch() {
    if case .stored(let file, let name, let shape, 0, _) = source, (try? file.entry(name).shape) == shape {
      file.prefetch(name)
    }
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
    if case .microscaled(let matrix) = source, splittingRows {
      let length = max(1, elements / max(matrix.shape[1], 1))
      for start in stride(from: 0, to: matrix.shape[0], by: length) {
        let range = start..<min(start + length, matrix.shape[0])
        var part = Tensor(uninitialized: [range.count * matrix.shape[1]])
        matrix.widen(rows: range, columns: 0..<matrix.shape[1], into: &part)
        try body(part, range)
      }
      return
    }
    guard case .stored(let file, let name, let shape, let offset, let scale) = source,
      file.isWidenedInParts(name)
    else {
      return try body(tensor(), 0..<shape[axis])
    }
    let other = shape[1 - axis]
    // Whole blocks, where elements are stored in blocks.
    let step = max(64, file.blockLength(of: name))
    let length = max(step, elements / max(other, 1) / step * step)
    var buffer = Tensor(zeros: [0])
    for start in stride(from: 0, to: shape[axis], by: length) {
      let range = start..<min(start + length, shape[axis])
      if buffer.count != range.count * other { buffer = Tensor(uninitialized: [range.count * other]) }
      try file.widen(
        rows: splittingRows ? range : 0..<shape[0], columns: splittingRows ? 0..<shape[1] : range, of: name,
        offset: offset, into: &buffer)
      scale?.apply(
        to: &buffer, rows: splittingRows ? range : 0..<shape[0],
        columns: splittingRows ? 0..<shape[1] : range)
      try body(buffer, range)
    }
    file.release(name)
  }

  /// Some rows of the first axis, each widened alone.
  /// - Throws: `CheckpointError.notFinite`.
  func rows(_ indices: [Int32]) throws(CheckpointError) -> Tensor {
    switch source {
    case .resident(let tensor): return tensor.gatherRows(indices)
    case .microscaled: return try tensor().gatherRows(indices)
    case .stored(let file, let name, let shape, _, let scale):
      let distinct = Set(indices).sorted()
      let places = Dictionary(uniqueKeysWithValues: distinct.enumerated().map { ($1, Int32($0)) })
      var table = Tensor(zeros: [distinct.count] + shape.dropFirst())
      for (place, index) in distinct.enumerated() {
        var row = try file.rows(Int(index)..<Int(index) + 1, of: name)
        scale?.apply(to: &row, rows: Int(index)..<Int(index) + 1, columns: 0..<shape[1])
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
