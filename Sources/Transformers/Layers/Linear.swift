// x·W + b, for weights stored either way round.

import Tensors

/// An affine map of rows.
public struct Linear: Sendable {
  /// Which axis of the stored matrix is which.
  public enum Orientation: Sendable, Equatable {
    /// `[inputs, outputs]`
    case inputOutput
    /// `[outputs, inputs]`
    case outputInput
  }

  /// The matrix.
  public var weight: Weight
  /// Which axis of the matrix is which.
  public var orientation: Orientation
  /// `[outputs]`
  public var bias: Tensor?

  /// A map by a matrix and, where given, a bias.
  public init(_ weight: Weight, _ orientation: Orientation, bias: Tensor? = nil) {
    precondition(weight.shape.count == 2, "a linear map of shape \(weight.shape)")
    self.weight = weight
    self.orientation = orientation
    self.bias = bias
    precondition(bias.map { $0.count == outputs } ?? true, "bias \(bias?.shape ?? []) of \(outputs) outputs")
  }

  /// Width of the rows that go in.
  public var inputs: Int { weight.shape[orientation == .inputOutput ? 0 : 1] }

  /// Width of the rows that come out.
  public var outputs: Int { weight.shape[orientation == .inputOutput ? 1 : 0] }

  /// The rows `inputRange` of the matrix, read as `[inputs, outputs]`.
  func window(inputs inputRange: Range<Int>) -> MatrixWindow {
    switch orientation {
    case .inputOutput:
      MatrixWindow(offset: inputRange.lowerBound * outputs, rows: inputRange.count, columns: outputs)
    case .outputInput:
      MatrixWindow(
        offset: inputRange.lowerBound, rows: outputs, columns: inputRange.count, rowStride: inputs,
        transposed: true)
    }
  }

  /// `y = x·W + b`, where `y` takes the columns from `column` on of `target`'s rows.
  ///
  /// - Parameter x: `[rows, inputs]`
  /// - Throws: `TensorError.notFinite` where a stored weight cannot be widened.
  public func apply(to x: Tensor, into target: inout Tensor, atColumn column: Int = 0) throws {
    if let bias { target.fillRows(bias, atColumn: column) }
    try multiply(
      x, into: &target, offset: column, rowStride: target.shape.last ?? 1, accumulating: bias != nil)
  }

  /// Adds `x·W` to rows of `target`, from row `row` on; the bias is left to the caller.
  func accumulate(_ x: Tensor, into target: inout Tensor, fromRow row: Int = 0) throws {
    try multiply(x, into: &target, offset: row * outputs, rowStride: outputs, accumulating: true)
  }

  /// `x·W` (added) into rows of `target` that start at element `offset`, some columns at a time where W lies in a file.
  private func multiply(
    _ x: Tensor, into target: inout Tensor, offset: Int, rowStride: Int, accumulating: Bool
  ) throws {
    let rowCount = x.count / inputs
    try weight.forEachPart(splittingRows: orientation == .outputInput) { part, columns in
      let window =
        orientation == .inputOutput
        ? MatrixWindow(rows: inputs, columns: columns.count)
        : MatrixWindow(rows: columns.count, columns: inputs, transposed: true)
      matrixProduct(
        x, MatrixWindow(rows: rowCount, columns: inputs), part, window, into: &target,
        MatrixWindow(
          offset: offset + columns.lowerBound, rows: rowCount, columns: columns.count, rowStride: rowStride),
        accumulating: accumulating)
    }
  }

  /// The same map with its matrix in memory, for several uses in a row.
  /// - Throws: `TensorError.notFinite` where a stored weight cannot be widened.
  func resident() throws -> Linear {
    weight.isResident ? self : Linear(Weight(try weight.tensor()), orientation, bias: bias)
  }

  /// `x·W + b` as a new tensor `[rows, outputs]`.
  public func callAsFunction(_ x: Tensor) throws -> Tensor {
    var result = Tensor(uninitialized: [x.count / max(inputs, 1), outputs])
    try apply(to: x, into: &result)
    return result
  }
}
