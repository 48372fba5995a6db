// The layers of the convolutional autoencoder: `[rows, channels, height, width]` in and out.

import NeuralNetworks
import Tensors

/// 3×3 convolution with a border of zeros.
struct ConvolutionLayer: NetworkLayer {
  /// `[out, in, 3, 3]`.
  var weights: Tensor
  /// `[out]`.
  var bias: Tensor

  /// Weights for a rectifier after it: standard deviation √(2 / (9·in)).
  init(inputs: Int, outputs: Int, using generator: inout SeededGenerator) {
    let spread = (2 / Float(9 * inputs)).squareRoot()
    weights = Tensor(
      (0..<inputs * outputs * 9).map { _ in Float(generator.normal()) * spread },
      shape: [outputs, inputs, 3, 3])
    bias = Tensor(zeros: [outputs])
  }

  var parameters: [Tensor] { [weights, bias] }

  mutating func visitParameters(_ visit: (inout Tensor) -> Void) {
    visit(&weights)
    visit(&bias)
  }

  func forward(_ input: Tensor, _ pass: NetworkPass) -> (output: Tensor, trace: LayerTrace) {
    (convolve3x3(input, weights: weights, bias: bias), LayerTrace(pass: pass, tensors: [input]))
  }

  func backward(_ gradient: Tensor, _ trace: LayerTrace) -> LayerGradients {
    let gradients = convolve3x3Gradients(trace.tensors[0], weights: weights, gradient: gradient)
    return LayerGradients(input: gradients.images, parameters: [gradients.weights, gradients.bias])
  }
}

/// The largest of every 2×2 block.
struct MaxPoolingLayer: NetworkLayer {
  func forward(_ input: Tensor, _ pass: NetworkPass) -> (output: Tensor, trace: LayerTrace) {
    let output = input.maxPooled2x2()
    return (output, LayerTrace(pass: pass, tensors: [input, output]))
  }

  func backward(_ gradient: Tensor, _ trace: LayerTrace) -> LayerGradients {
    LayerGradients(
      input: trace.tensors[0].maxPooled2x2Gradient(pooled: trace.tensors[1], gradient: gradient),
      parameters: [])
  }
}

/// Every element twice along both axes: the mirror of pooling.
struct UpsamplingLayer: NetworkLayer {
  func forward(_ input: Tensor, _ pass: NetworkPass) -> (output: Tensor, trace: LayerTrace) {
    (input.upsampled2x2(), LayerTrace(pass: pass))
  }

  func backward(_ gradient: Tensor, _ trace: LayerTrace) -> LayerGradients {
    LayerGradients(input: gradient.upsampled2x2Gradient(), parameters: [])
  }
}

/// Batch normalisation of every channel (Ioffe & Szegedy 2015).
struct BatchNormalisationLayer: NetworkLayer {
  /// `[channels]` each.
  var scale: Tensor
  var shift: Tensor
  var runningMean: Tensor
  var runningVariance: Tensor

  private static let epsilon: Float = 1e-5
  /// How much of each batch goes into the running statistics.
  private static let momentum: Float = 0.1

  init(channels: Int) {
    scale = Tensor(repeating: 1, shape: [channels])
    shift = Tensor(zeros: [channels])
    runningMean = Tensor(zeros: [channels])
    runningVariance = Tensor(repeating: 1, shape: [channels])
  }

  var parameters: [Tensor] { [scale, shift] }
  var statistics: [Tensor] { [runningMean, runningVariance] }

  mutating func visitParameters(_ visit: (inout Tensor) -> Void) {
    visit(&scale)
    visit(&shift)
  }

  mutating func visitStatistics(_ visit: (inout Tensor) -> Void) {
    visit(&runningMean)
    visit(&runningVariance)
  }

  func forward(_ input: Tensor, _ pass: NetworkPass) -> (output: Tensor, trace: LayerTrace) {
    var (mean, variance) = (runningMean.values, runningVariance.values)
    if case .training = pass {
      let count = Double(input.count) / Double(mean.count)
      let (sums, squares) = input.channelSums(with: input)
      mean = sums.map { Float($0 / count) }
      variance = zip(sums, squares).map { Float(max(0, $1 / count - ($0 / count) * ($0 / count))) }
    }
    let slopes = zip(scale.values, variance).map { $0 / ($1 + Self.epsilon).squareRoot() }
    let offsets = (0..<mean.count).map { shift[$0] - mean[$0] * slopes[$0] }
    return (
      input.scaledAndShifted(scale: slopes, shift: offsets),
      LayerTrace(pass: pass, tensors: [input, Tensor(mean), Tensor(variance)])
    )
  }

  func backward(_ gradient: Tensor, _ trace: LayerTrace) -> LayerGradients {
    let (input, mean, variance) = (trace.tensors[0], trace.tensors[1].values, trace.tensors[2].values)
    let count = Float(input.count) / Float(mean.count)
    let inverse = variance.map { 1 / ($0 + Self.epsilon).squareRoot() }
    let (sums, products) = gradient.channelSums(with: input)
    let shiftGradient = sums.map { Float($0) }
    // Σ g·x̂ with x̂ = (x − mean)·inverse.
    let scaleGradient: [Float] = mean.indices.map { channel in
      let product: Double = products[channel] - sums[channel] * Double(mean[channel])
      return Float(product) * inverse[channel]
    }
    let slopes = zip(scale.values, inverse).map { $0 * $1 }
    var inputGradient: Tensor
    if case .training = trace.pass {
      // slope·(g − Σg/n − x̂·Σ(g·x̂)/n), written as a·g + b·x + c.
      let b = (0..<mean.count).map { -slopes[$0] * inverse[$0] * scaleGradient[$0] / count }
      let c: [Float] = mean.indices.map { channel in
        let meanGradient: Float = shiftGradient[channel] / count
        return -slopes[channel] * meanGradient - b[channel] * mean[channel]
      }
      inputGradient = gradient.blended(slopes, with: input, b, plus: c)
    } else {
      inputGradient = gradient.scaledAndShifted(
        scale: slopes, shift: [Float](repeating: 0, count: slopes.count))
    }
    return LayerGradients(
      input: inputGradient, parameters: [Tensor(scaleGradient), Tensor(shiftGradient)])
  }

  mutating func adoptStatistics(of trace: LayerTrace) {
    guard case .training = trace.pass else { return }
    runningMean = runningMean.scaled(by: 1 - Self.momentum).plus(trace.tensors[1], scaledBy: Self.momentum)
    runningVariance =
      runningVariance.scaled(by: 1 - Self.momentum).plus(trace.tensors[2], scaledBy: Self.momentum)
  }
}
