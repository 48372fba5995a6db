// The fully connected layer, and the steps between two of them.

import NeuralNetworks
import FoundationEssentials
import Tensors

#if canImport(Glibc)
  import Glibc
#endif

/// `x·W + b`: `[rows, in]` → `[rows, out]`.
struct DenseLayer: NetworkLayer {
  /// `[in, out]`.
  var weights: Tensor
  /// `[out]`.
  var bias: Tensor

  /// Weights drawn with standard deviation `gain / √in`, biases 0.
  init(inputs: Int, outputs: Int, gain: Float, using generator: inout SeededGenerator) {
    let spread = gain / Float(max(inputs, 1)).squareRoot()
    weights = Tensor(
      (0..<inputs * outputs).map { _ in Float(generator.normal()) * spread }, shape: [inputs, outputs])
    bias = Tensor(zeros: [outputs])
  }

  var parameters: [Tensor] { [weights, bias] }

  mutating func visitParameters(_ visit: (inout Tensor) -> Void) {
    visit(&weights)
    visit(&bias)
  }

  func forward(_ input: Tensor, _ pass: NetworkPass) -> (output: Tensor, trace: LayerTrace) {
    (matrixProduct(input, weights).plusRow(bias), LayerTrace(pass: pass, tensors: [input]))
  }

  func backward(_ gradient: Tensor, _ trace: LayerTrace) -> LayerGradients {
    let input = trace.tensors[0]
    var weightGradient = Tensor(zeros: weights.shape)
    matrixProduct(
      input, input.matrix.transpose, gradient, gradient.matrix, into: &weightGradient, weightGradient.matrix)
    return LayerGradients(
      input: matrixProduct(gradient, weights, transposingB: true),
      parameters: [weightGradient, gradient.sumOverFirstAxis()])
  }
}

/// The function between layers.
public enum NetworkActivation: String, Sendable, Codable, CaseIterable {
  /// max(x, 0).
  case relu
  /// Scaled exponential linear unit (Klambauer et al. 2017), which keeps means at 0 and variances at 1.
  case selu

  /// How far to spread the weights before this activation, times 1/√inputs.
  var gain: Float {
    switch self {
    case .relu: Float(2).squareRoot()
    case .selu: 1
    }
  }
}

/// An activation, element by element.
struct ActivationLayer: NetworkLayer {
  let activation: NetworkActivation

  private static let seluScale: Float = 1.050_701
  private static let seluAlpha: Float = 1.673_263_2

  func forward(_ input: Tensor, _ pass: NetworkPass) -> (output: Tensor, trace: LayerTrace) {
    let output: Tensor =
      switch activation {
      case .relu: input.rectified()
      case .selu:
        Tensor(
          input.values.map { x in
            Self.seluScale * (x > 0 ? x : Self.seluAlpha * (Float(exp(Double(x))) - 1))
          }, shape: input.shape)
      }
    return (output, LayerTrace(pass: pass, tensors: [output]))
  }

  func backward(_ gradient: Tensor, _ trace: LayerTrace) -> LayerGradients {
    let output = trace.tensors[0]
    switch activation {
    case .relu: return LayerGradients(input: output.rectifiedGradient(gradient), parameters: [])
    case .selu:
      // Below 0 the output is scale·alpha·(eˣ − 1), so its slope is the output plus scale·alpha.
      let slopes = output.values.map { $0 > 0 ? Self.seluScale : $0 + Self.seluScale * Self.seluAlpha }
      return LayerGradients(input: gradient.times(Tensor(slopes, shape: output.shape)), parameters: [])
    }
  }
}

/// The logistic function, element by element.
struct LogisticLayer: NetworkLayer {
  func forward(_ input: Tensor, _ pass: NetworkPass) -> (output: Tensor, trace: LayerTrace) {
    let output = input.logistic()
    return (output, LayerTrace(pass: pass, tensors: [output]))
  }

  func backward(_ gradient: Tensor, _ trace: LayerTrace) -> LayerGradients {
    let output = trace.tensors[0]
    // σ′ = σ − σ².
    return LayerGradients(
      input: gradient.times(output.plus(output.times(output), scaledBy: -1)), parameters: [])
  }
}

/// Sets a share of the elements to 0 in training, and scales the others up to keep the mean.
struct DropoutLayer: NetworkLayer {
  /// The share that is dropped, in 0 ..< 1.
  let rate: Float

  func forward(_ input: Tensor, _ pass: NetworkPass) -> (output: Tensor, trace: LayerTrace) {
    guard case .training(let seed) = pass, rate > 0 else { return (input, LayerTrace(pass: pass)) }
    var generator = SeededGenerator(seed: seed, stream: "dropout")
    // Sixteen bits are plenty for a mask: four elements a draw.
    let threshold = UInt64(rate * 65_536)
    let kept = 1 / (1 - Float(threshold) / 65_536)
    var bits: UInt64 = 0
    let mask = Tensor(
      (0..<input.count).map { index in
        if index % 4 == 0 { bits = generator.next() }
        defer { bits >>= 16 }
        return bits & 0xffff < threshold ? 0 : kept
      }, shape: input.shape)
    return (input.times(mask), LayerTrace(pass: pass, tensors: [mask]))
  }

  func backward(_ gradient: Tensor, _ trace: LayerTrace) -> LayerGradients {
    LayerGradients(input: trace.tensors.first.map { gradient.times($0) } ?? gradient, parameters: [])
  }
}
