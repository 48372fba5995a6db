// One layer's MLP: residual stream → hidden layer → what is added to the stream.

import Tensors

extension MLPWeights {
  /// Width of the hidden layer (d_mlp).
  public var hiddenWidth: Int { input.outputs }

  /// The same parameters with their matrices in memory.
  func resident() throws -> MLPWeights {
    MLPWeights(gate: try gate?.resident(), input: try input.resident(), output: try output.resident())
  }

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
