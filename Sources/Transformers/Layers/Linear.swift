// x·W + b, for weights stored either way round.

import Checkpoints
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

  /// The columns `outputRange` of the matrix, read as `[inputs, outputs]`.
  func window(outputs outputRange: Range<Int>) -> MatrixWindow {
    switch orientation {
    case .inputOutput:
      MatrixWindow(
        offset: outputRange.lowerBound, rows: inputs, columns: outputRange.count, rowStride: outputs)
    case .outputInput:
      MatrixWindow(
        offset: outputRange.lowerBound * inputs, rows: outputRange.count, columns: inputs, transposed: true)
    }
  }

  /// `y = x·W + b`, where `y` takes the columns from `column` on of `target`'s rows.
  ///
  /// - Parameter x: `[rows, inputs]`
  /// - Throws: `CheckpointError.notFinite` where a stored weight cannot be widened.
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

  /// The adjoint of `apply`: writes `dy·Wᵀ` to `dx` (or adds it there), some outputs at a time where W lies in a file.
  ///
  /// - Parameters:
  ///   - dy: rows that hold the gradient of the outputs from `column` on.
  ///   - dx: `[rows, inputs]`.
  /// - Throws: `CheckpointError.notFinite` where a stored weight cannot be widened.
  public func adjoint(
    _ dy: Tensor, fromColumn column: Int = 0, into dx: inout Tensor, accumulating: Bool = false
  ) throws {
    let rowStride = dy.shape.last ?? 1
    let rowCount = dy.count / max(rowStride, 1)
    try weight.forEachPart(splittingRows: orientation == .outputInput) { part, columns in
      let window =
        orientation == .inputOutput
        ? MatrixWindow(rows: inputs, columns: columns.count, transposed: true)
        : MatrixWindow(rows: columns.count, columns: inputs)
      matrixProduct(
        dy,
        MatrixWindow(
          offset: column + columns.lowerBound, rows: rowCount, columns: columns.count, rowStride: rowStride),
        part, window, into: &dx, MatrixWindow(rows: rowCount, columns: inputs),
        accumulating: accumulating || columns.lowerBound > 0)
    }
  }

  /// The same map with its matrix in memory, for several uses in a row.
  /// - Throws: `CheckpointError.notFinite` where a stored weight cannot be widened.
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

extension ParameterGradient {
  /// Adds the gradients of a map's matrix and bias: xᵀ·dy and Σ dy.
  ///
  /// - Parameters:
  ///   - x: `[rows, inputs]`.
  ///   - dy: rows that hold the gradient of the outputs from `column` on.
  mutating func add(
    _ linear: Linear, _ weight: Parameter, bias: Parameter, x: Tensor, dy: Tensor, fromColumn column: Int = 0
  ) {
    let rowStride = dy.shape.last ?? 1
    let rows = dy.count / max(rowStride, 1)
    let output = MatrixWindow(
      offset: column, rows: rows, columns: linear.outputs, rowStride: rowStride)
    if let place = layout.place(of: weight) {
      let input = MatrixWindow(rows: rows, columns: linear.inputs)
      switch linear.orientation {
      case .inputOutput:
        matrixProduct(x, input.transpose, dy, output, into: &values, place.matrix, accumulating: true)
      case .outputInput:
        matrixProduct(dy, output.transpose, x, input, into: &values, place.matrix, accumulating: true)
      }
    }
    if linear.bias != nil, let place = layout.place(of: bias) {
      values.addColumnSums(of: dy, output, to: place.vector)
    }
  }
}
