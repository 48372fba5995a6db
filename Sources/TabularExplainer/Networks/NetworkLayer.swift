// What every layer of a network can do. A layer is a value: a forward pass changes nothing in it, and hands back what
// its backward pass will need.

import Tensors

/// Why a network is run.
enum NetworkPass: Sendable, Equatable {
  /// To predict: running statistics, nothing dropped.
  case prediction
  /// To learn: batch statistics, and dropout drawn from this seed.
  case training(seed: UInt64)
}

/// What a forward pass keeps for the backward pass.
struct LayerTrace: Sendable {
  var pass: NetworkPass
  var tensors: [Tensor] = []
  var parts: [LayerTrace] = []
}

/// Gradients of a loss at one layer.
struct LayerGradients: Sendable {
  /// With respect to the layer's input.
  var input: Tensor
  /// With respect to each of `parameters`, in their order.
  var parameters: [Tensor]
}

/// One differentiable step of a network.
protocol NetworkLayer: Sendable {
  /// What training changes, in a fixed order.
  var parameters: [Tensor] { get }
  /// What training only keeps count of, in a fixed order.
  var statistics: [Tensor] { get }
  /// Calls `visit` with each parameter, in the order of `parameters`.
  mutating func visitParameters(_ visit: (inout Tensor) -> Void)
  /// Calls `visit` with each statistic, in the order of `statistics`.
  mutating func visitStatistics(_ visit: (inout Tensor) -> Void)
  /// The layer's output, and what `backward` needs.
  func forward(_ input: Tensor, _ pass: NetworkPass) -> (output: Tensor, trace: LayerTrace)
  /// The gradients, from the loss's gradient with respect to the output.
  func backward(_ gradient: Tensor, _ trace: LayerTrace) -> LayerGradients
  /// Takes batch statistics of a training pass into the running ones.
  mutating func adoptStatistics(of trace: LayerTrace)
}

extension NetworkLayer {
  var parameters: [Tensor] { [] }
  var statistics: [Tensor] { [] }
  mutating func visitParameters(_ visit: (inout Tensor) -> Void) {}
  mutating func visitStatistics(_ visit: (inout Tensor) -> Void) {}
  mutating func adoptStatistics(of trace: LayerTrace) {}
}

/// Layers one after another.
struct LayerSequence: NetworkLayer {
  var layers: [any NetworkLayer]

  var parameters: [Tensor] { layers.flatMap { $0.parameters } }
  var statistics: [Tensor] { layers.flatMap { $0.statistics } }

  mutating func visitParameters(_ visit: (inout Tensor) -> Void) {
    for index in layers.indices { layers[index].visitParameters(visit) }
  }

  mutating func visitStatistics(_ visit: (inout Tensor) -> Void) {
    for index in layers.indices { layers[index].visitStatistics(visit) }
  }

  func forward(_ input: Tensor, _ pass: NetworkPass) -> (output: Tensor, trace: LayerTrace) {
    var trace = LayerTrace(pass: pass)
    var value = input
    for (index, layer) in layers.enumerated() {
      // Each layer drops out on a stream of its own.
      var layerPass = pass
      if case .training(let seed) = pass { layerPass = .training(seed: seed &+ UInt64(index) &* 0x9e37_79b9) }
      let (output, part) = layer.forward(value, layerPass)
      trace.parts.append(part)
      value = output
    }
    return (value, trace)
  }

  func backward(_ gradient: Tensor, _ trace: LayerTrace) -> LayerGradients {
    var gradient = gradient
    var parameters: [[Tensor]] = []
    for (layer, part) in zip(layers, trace.parts).reversed() {
      let gradients = layer.backward(gradient, part)
      gradient = gradients.input
      parameters.append(gradients.parameters)
    }
    return LayerGradients(input: gradient, parameters: parameters.reversed().flatMap { $0 })
  }

  mutating func adoptStatistics(of trace: LayerTrace) {
    for index in layers.indices { layers[index].adoptStatistics(of: trace.parts[index]) }
  }
}
