// One layer's MLP: normalised stream → hidden layer → what is added to the stream.

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
  func preactivation(_ x: Tensor, into hidden: inout Tensor) throws {
    try (gate ?? input).apply(to: x, into: &hidden)
  }

  /// Turns the preactivation into the hidden layer that W_out reads.
  ///
  /// - Parameter up: W_in·x of a gated MLP; computed here where nil.
  func activate(_ hidden: inout Tensor, of x: Tensor, up: Tensor? = nil, _ activation: Activation) throws {
    hidden.activate(activation)
    if gate != nil { hidden.multiply(by: try up ?? input(x)) }
  }

  /// Turns the gradient of the hidden layer into that of the preactivation, in place, and gives that of W_in·x.
  ///
  /// - Parameters:
  ///   - pre: the preactivation.
  ///   - up: W_in·x of a gated MLP.
  ///   - dUp: takes the gradient of `up` in a gated MLP.
  func activateAdjoint(
    _ gradient: inout Tensor, pre: Tensor, up: Tensor, into dUp: inout Tensor, _ activation: Activation,
    rule: SlopeRule
  ) {
    if gate != nil {
      dUp.assign(pre)
      dUp.activate(activation)
      dUp.multiply(by: gradient)
      gradient.multiply(by: up)
      if rule == .relevance {
        dUp.scale(by: 0.5)
        gradient.scale(by: 0.5)
      }
    }
    gradient.multiplyBySlope(of: activation, at: pre, rule: rule)
  }

  /// The adjoint of the first maps: writes the gradient of the normalised rows to `dx`.
  func preactivationAdjoint(_ dPre: Tensor, dUp: Tensor, into dx: inout Tensor) throws {
    try (gate ?? input).adjoint(dPre, into: &dx)
    if gate != nil { try input.adjoint(dUp, into: &dx, accumulating: true) }
  }
}

extension ParameterGradient {
  /// Adds the gradients of W_gate, W_in and their biases.
  mutating func addPreactivation(_ mlp: MLPWeights, layer: Int, x: Tensor, dPre: Tensor, dUp: Tensor) {
    if let gate = mlp.gate {
      add(gate, .block(layer, .gateWeight), bias: .block(layer, .gateBias), x: x, dy: dPre)
      add(mlp.input, .block(layer, .inWeight), bias: .block(layer, .inBias), x: x, dy: dUp)
    } else {
      add(mlp.input, .block(layer, .inWeight), bias: .block(layer, .inBias), x: x, dy: dPre)
    }
  }
}
