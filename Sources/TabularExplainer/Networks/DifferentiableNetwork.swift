// A whole network, as training and probes see it: design rows in, logits out, gradients back.

import Tensors

/// A network that can be trained and probed.
protocol DifferentiableNetwork: Sendable {
  /// What training changes and what it keeps count of, as in `NetworkLayer`.
  var parameters: [Tensor] { get }
  var statistics: [Tensor] { get }
  mutating func visitParameters(_ visit: (inout Tensor) -> Void)
  mutating func visitStatistics(_ visit: (inout Tensor) -> Void)

  /// Logits in prediction: `[rows, columns]` → `[rows, outputs]`.
  func logits(_ design: Tensor) -> Tensor

  /// Logits in prediction, and the gradient with respect to the design of whatever `lossGradient` is the gradient of.
  /// - Parameter lossGradient: from logits to a gradient of their shape.
  func inputGradient(_ design: Tensor, _ lossGradient: (Tensor) -> Tensor) -> (logits: Tensor, input: Tensor)

  /// One training pass: the loss, and its gradient with respect to every parameter in order. Takes the batch's
  /// statistics into the running ones.
  mutating func trainingPass(
    _ design: Tensor, seed: UInt64, _ loss: (Tensor) -> (value: Double, gradient: Tensor)
  ) -> (loss: Double, gradients: [Tensor])
}

/// A multi-layer perceptron: hidden layers of one activation, with dropout after each.
struct PerceptronNetwork: DifferentiableNetwork {
  var body: LayerSequence

  init(
    inputs: Int, outputs: Int, hidden: [Int], activation: NetworkActivation, dropout: Float,
    using generator: inout SeededGenerator
  ) {
    var layers: [any NetworkLayer] = []
    var width = inputs
    for size in hidden {
      layers.append(DenseLayer(inputs: width, outputs: size, gain: activation.gain, using: &generator))
      layers.append(ActivationLayer(activation: activation))
      if dropout > 0 { layers.append(DropoutLayer(rate: dropout)) }
      width = size
    }
    layers.append(DenseLayer(inputs: width, outputs: outputs, gain: 1, using: &generator))
    body = LayerSequence(layers: layers)
  }

  var parameters: [Tensor] { body.parameters }
  var statistics: [Tensor] { body.statistics }
  mutating func visitParameters(_ visit: (inout Tensor) -> Void) { body.visitParameters(visit) }
  mutating func visitStatistics(_ visit: (inout Tensor) -> Void) { body.visitStatistics(visit) }

  func logits(_ design: Tensor) -> Tensor { body.forward(design, .prediction).output }

  func inputGradient(_ design: Tensor, _ lossGradient: (Tensor) -> Tensor) -> (logits: Tensor, input: Tensor)
  {
    let (logits, trace) = body.forward(design, .prediction)
    return (logits, body.backward(lossGradient(logits), trace).input)
  }

  mutating func trainingPass(
    _ design: Tensor, seed: UInt64, _ loss: (Tensor) -> (value: Double, gradient: Tensor)
  ) -> (loss: Double, gradients: [Tensor]) {
    let (logits, trace) = body.forward(design, .training(seed: seed))
    let (value, gradient) = loss(logits)
    body.adoptStatistics(of: trace)
    return (value, body.backward(gradient, trace).parameters)
  }
}
