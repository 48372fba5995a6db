// Every layer's backward pass against finite differences of its forward pass.

import NeuralNetworks
import Foundation
import Tensors
import Testing

@testable import TabularExplainer

@Suite struct NetworkGradientTests {
  static func random(_ shape: [Int], seed: UInt64) -> Tensor {
    var generator = SeededGenerator(seed: seed)
    return Tensor((0..<shape.reduce(1, *)).map { _ in Float(generator.normal()) }, shape: shape)
  }

  /// Σ probe ⊙ output, in double precision.
  static func loss(_ output: Tensor, _ probe: Tensor) -> Double {
    zip(output.values, probe.values).reduce(0) { $0 + Double($1.0) * Double($1.1) }
  }

  /// Compares `backward` with central differences at some elements of the input and of every parameter.
  static func check(
    _ layer: some NetworkLayer, input: Tensor, pass: NetworkPass = .prediction, step: Float = 1e-2,
    tolerance: Double = 2e-2, sourceLocation: SourceLocation = #_sourceLocation
  ) {
    let (output, trace) = layer.forward(input, pass)
    let probe = random(output.shape, seed: 99)
    let gradients = layer.backward(probe, trace)
    #expect(gradients.input.shape == input.shape, sourceLocation: sourceLocation)
    #expect(
      gradients.parameters.map(\.shape) == layer.parameters.map(\.shape), sourceLocation: sourceLocation)

    func compare(_ analytic: Tensor, _ name: String, _ lossAt: (Int, Float) -> Double) {
      let values = analytic.values
      let scale = max(1e-3, values.map { abs(Double($0)) }.max() ?? 0)
      for index in stride(from: 0, to: values.count, by: max(1, values.count / 23)) {
        let numeric = (lossAt(index, step) - lossAt(index, -step)) / (2 * Double(step))
        #expect(
          abs(numeric - Double(values[index])) < tolerance * scale,
          "\(name)[\(index)]: \(values[index]), by differences \(numeric)", sourceLocation: sourceLocation)
      }
    }
    compare(gradients.input, "input") { index, step in
      var moved = input
      moved.withMutableValues { $0[index] += step }
      return loss(layer.forward(moved, pass).output, probe)
    }
    for (place, gradient) in gradients.parameters.enumerated() {
      compare(gradient, "parameter \(place)") { index, step in
        var moved = layer
        var current = 0
        moved.visitParameters { parameter in
          if current == place { parameter.withMutableValues { $0[index] += step } }
          current += 1
        }
        return loss(moved.forward(input, pass).output, probe)
      }
    }
  }

  @Test func dense() {
    var generator = SeededGenerator(seed: 1)
    Self.check(
      DenseLayer(inputs: 5, outputs: 3, gain: 1, using: &generator), input: Self.random([4, 5], seed: 2))
  }

  @Test(arguments: NetworkActivation.allCases)
  func activation(_ activation: NetworkActivation) {
    // Away from 0, where the slope jumps.
    let input = Self.random([6, 7], seed: 3)
    let clear = Tensor(input.values.map { abs($0) < 0.05 ? 0.5 : $0 }, shape: input.shape)
    Self.check(ActivationLayer(activation: activation), input: clear)
  }

  @Test func logistic() { Self.check(LogisticLayer(), input: Self.random([3, 4], seed: 4)) }

  @Test func dropoutKeepsItsMaskAndItsMean() {
    let layer = DropoutLayer(rate: 0.25)
    Self.check(layer, input: Self.random([5, 40], seed: 5), pass: .training(seed: 8))
    let ones = Tensor(repeating: 1, shape: [1, 40_000])
    let dropped = layer.forward(ones, .training(seed: 8)).output.values
    let mean = dropped.reduce(0, +) / 40_000
    #expect(abs(mean - 1) < 0.02)
    let share = Double(dropped.count { $0 == 0 }) / 40_000
    #expect(abs(share - 0.25) < 0.01)
    #expect(layer.forward(ones, .prediction).output == ones)
  }

  @Test(arguments: [(1, 1), (1, 5), (2, 2), (8, 8), (3, 9)])
  func convolution(height: Int, width: Int) {
    var generator = SeededGenerator(seed: 6)
    Self.check(
      ConvolutionLayer(inputs: 3, outputs: 2, using: &generator),
      input: Self.random([10, 3, height, width], seed: 7))
  }

  @Test func convolutionEqualsItsDefinition() {
    let (images, weights) = (Self.random([2, 3, 5, 6], seed: 8), Self.random([4, 3, 3, 3], seed: 9))
    let result = convolve3x3(images, weights: weights, bias: Tensor([1, 2, 3, 4] as [Float]))
    for (n, o) in [(0, 0), (1, 3)] {
      for y in 0..<5 {
        for x in 0..<6 {
          var sum = Double(o + 1)
          for c in 0..<3 {
            for (dy, dx) in (0..<9).map({ ($0 / 3, $0 % 3) }) {
              let (row, column) = (y + dy - 1, x + dx - 1)
              guard (0..<5).contains(row), (0..<6).contains(column) else { continue }
              sum += Double(images[n, c, row, column]) * Double(weights[o, c, dy, dx])
            }
          }
          #expect(abs(Double(result[n, o, y, x]) - sum) < 1e-4)
        }
      }
    }
  }

  @Test func pooling() {
    // All different by more than the step.
    let order = SeededGenerator(seed: 10).shuffled(2 * 2 * 4 * 6)
    Self.check(MaxPoolingLayer(), input: Tensor(order.map { Float($0) * 0.1 }, shape: [2, 2, 4, 6]))
  }

  @Test func upsampling() { Self.check(UpsamplingLayer(), input: Self.random([2, 3, 2, 3], seed: 11)) }

  @Test(arguments: [NetworkPass.prediction, .training(seed: 0)])
  func batchNormalisation(_ pass: NetworkPass) {
    var layer = BatchNormalisationLayer(channels: 3)
    layer.scale = Tensor([0.5, 1.5, -1] as [Float])
    layer.runningVariance = Tensor([2, 0.5, 1] as [Float])
    Self.check(layer, input: Self.random([4, 3, 3, 3], seed: 12), pass: pass)
  }

  @Test func batchNormalisationCentresAndScales() {
    let input = Self.random([8, 2, 4, 4], seed: 13).scaled(by: 3)
    let output = BatchNormalisationLayer(channels: 2).forward(input, .training(seed: 0)).output
    let (sums, squares) = output.channelSums(with: output)
    for channel in 0..<2 {
      #expect(abs(sums[channel] / 128) < 1e-4)
      #expect(abs(squares[channel] / 128 - 1) < 1e-3)
    }
  }

  @Test func attention() {
    var generator = SeededGenerator(seed: 14)
    var layer = AttentionHeads(cells: 7, headCount: 2, rank: 3, using: &generator)
    for index in layer.heads.indices {
      layer.heads[index].diagonal = Self.random([7], seed: 15)
      layer.heads[index].right = Self.random([3, 7], seed: 16)
    }
    Self.check(layer, input: Self.random([4, 7], seed: 17))
  }

  @Test func attentionEqualsFullMatrices() {
    var generator = SeededGenerator(seed: 18)
    let layer = AttentionHeads(cells: 5, headCount: 3, rank: 2, using: &generator)
    let input = Self.random([1, 5], seed: 19).values
    var scores = [Double](repeating: 0, count: 5)
    var diagonals = [Double](repeating: 0, count: 5)
    for head in layer.heads {
      var diagonal = [Double](repeating: 0, count: 5)
      for i in 0..<5 {
        for j in 0..<5 {
          var weight = i == j ? Double(head.diagonal[i]) : 0
          for r in 0..<2 { weight += Double(head.left[r, i]) * Double(head.right[r, j]) }
          scores[i] += weight * Double(input[j]) / 3
          if i == j { diagonal[i] = weight }
        }
      }
      let powers = diagonal.map { exp($0) }
      for i in 0..<5 { diagonals[i] += powers[i] / powers.reduce(0, +) / 3 }
    }
    let powers = scores.map { exp($0) }
    let local = layer.localImportance(Tensor(input, shape: [1, 5])).values
    for i in 0..<5 {
      #expect(abs(Double(local[i]) - powers[i] / powers.reduce(0, +)) < 1e-5)
      #expect(abs(Double(layer.globalImportance[i]) - diagonals[i]) < 1e-5)
    }
  }

  @Test func wholeAutoencoderWithAttention() {
    var generator = SeededGenerator(seed: 20)
    let design = Self.random([6, 30], seed: 21)
    let network = ConvolutionalAttentionNetwork(
      layout: SquareLayout(of: design, seed: 1), outputs: 3, headCount: 2, rank: 2, hidden: 8, dropout: 0,
      reconstructionWeight: 0.7, using: &generator)
    let probe = Self.random([6, 3], seed: 22)
    // The gradient with respect to the design, in prediction.
    let gradient = network.inputGradient(design) { _ in probe }.input
    for index in stride(from: 0, to: 180, by: 17) {
      func lossAt(_ step: Float) -> Double {
        var moved = design
        moved.withMutableValues { $0[index] += step }
        return Self.loss(network.logits(moved), probe)
      }
      let numeric = (lossAt(3e-3) - lossAt(-3e-3)) / 6e-3
      #expect(abs(numeric - Double(gradient.values[index])) < 0.02 + 0.02 * abs(numeric))
    }
    // The gradient of the whole loss, reconstruction included, with respect to parameters, in training.
    func trainingLoss(_ network: ConvolutionalAttentionNetwork) -> (Double, [Tensor]) {
      var copy = network
      let result = copy.trainingPass(design, seed: 1) { (Self.loss($0, probe), probe) }
      return (result.loss, result.gradients)
    }
    let gradients = trainingLoss(network).1
    #expect(gradients.map(\.shape) == network.parameters.map(\.shape))
    for place in stride(from: 0, to: gradients.count, by: 3) {
      let values = gradients[place].values
      let index = values.indices.max { abs(values[$0]) < abs(values[$1]) } ?? 0
      func lossAt(_ step: Float) -> Double {
        var moved = network
        var current = 0
        moved.visitParameters { parameter in
          if current == place { parameter.withMutableValues { $0[index] += step } }
          current += 1
        }
        return trainingLoss(moved).0
      }
      let numeric = (lossAt(2e-3) - lossAt(-2e-3)) / 4e-3
      #expect(
        abs(numeric - Double(values[index])) < 0.01 + 0.05 * abs(numeric),
        "parameter \(place): \(values[index]), by differences \(numeric)")
    }
  }
}

extension SeededGenerator {
  fileprivate func shuffled(_ count: Int) -> [Int] {
    var copy = self
    return copy.permutation(of: count)
  }
}
