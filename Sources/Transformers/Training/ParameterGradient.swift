// The gradient of every parameter, summed layer by layer on the way back; each part adds its own (see `Layers/`).

import Tensors

/// The gradients of all parameters in one tensor.
public struct ParameterGradient: Sendable {
  /// Where each parameter's gradient lies.
  public let layout: ParameterLayout
  /// The sums so far; shape `[layout.count]`.
  public var values: Tensor
  /// The share of codebooks' own loss.
  public var reconstruction = CodeReconstruction()

  /// Zeros.
  public init(_ layout: ParameterLayout) {
    self.layout = layout
    values = Tensor(zeros: [layout.count])
  }

  /// Adds rows to the rows of a table that they came from; nothing where the model has no such table.
  mutating func add(rows: Tensor, to table: Parameter, _ indices: [Int32]) {
    guard let place = layout.place(of: table) else { return }
    values.scatterRows(of: rows, to: indices, place.matrix)
  }

  /// Adds a vector's gradient.
  mutating func add(_ gradient: Tensor, to parameter: Parameter) {
    guard let place = layout.place(of: parameter) else { return }
    values.withMutableValues { values in
      gradient.withValues { gradient in
        for index in gradient.indices { values[place.offset + index] += gradient[index] }
      }
    }
  }

  /// The adjoint of a normalisation: adds the gradient of `x` to `dx`, and those of gain and bias here.
  mutating func normalizeAdjoint(
    _ norm: NormWeights, gain: Parameter, bias: Parameter, _ x: Tensor, _ kind: RowNormalization, dy: Tensor,
    addingTo dx: inout Tensor
  ) {
    normalizeRowsAdjoint(
      x, kind, gain: norm.gain, dy: dy, addingTo: &dx, gradient: &values,
      gainPlace: layout.place(of: gain)?.vector, biasPlace: layout.place(of: bias)?.vector)
  }

  /// The adjoint of the normalisation of heads, in place; adds the gradient of its gain here.
  mutating func normalizeHeadsAdjoint(
    _ x: Tensor, _ heads: HeadColumns, _ kind: RowNormalization, gain: Tensor, _ parameter: Parameter,
    gradient: inout Tensor, _ gradientHeads: HeadColumns
  ) {
    guard let place = layout.place(of: parameter) else { return }
    Tensors.normalizeHeadsAdjoint(
      x, heads, kind, gain: gain, gradient: &gradient, gradientHeads, parameters: &values,
      gainPlace: place.vector)
  }
}
