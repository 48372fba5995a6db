// One layer's MLP: residual stream → hidden layer → what is added to the stream.

import Tensors

extension MLPWeights {
  /// Width of the hidden layer (d_mlp).
  public var hiddenWidth: Int { input.outputs }

  /// All matrices.
  var matrices: [Weight] { [gate, input, output].compactMap { $0?.weight } }

  /// The hidden layer before its activation: of the gate in a gated MLP.
  ///
  /// - Parameters:
  ///   - x: normalised rows `[rows, d_model]`
  ///   - hidden: `[rows, d_mlp]`
  public func preactivation(_ x: Tensor, into hidden: inout Tensor) throws {
    try (gate ?? input).apply(to: x, into: &hidden)
  }

  /// Turns the preactivation into the hidden layer that W_out reads.
  public func activate(_ hidden: inout Tensor, of x: Tensor, _ activation: Activation) throws {
    hidden.activate(activation)
    if gate != nil { hidden.multiply(by: try input(x)) }
  }
}
