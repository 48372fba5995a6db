// Gates between 0 and 1 that can be learned and that end at exactly 0 or 1 (Louizos et al. 2018, arXiv 1712.01312).

import Tensors

/// Hard-concrete gates, one parameter each: β 2/3, stretched from −0.1 to 1.1.
struct HardConcreteGates {
  /// log α of each gate.
  var parameters: [Double]
  private var first: [Double]
  private var second: [Double]
  private var step = 0
  private static let (beta, low, high) = (2.0 / 3.0, -0.1, 1.1)

  /// Gates that start nearly open.
  init(count: Int, start: Double = 2) {
    parameters = [Double](repeating: start, count: count)
    first = [Double](repeating: 0, count: count)
    second = first
  }

  /// Gates with their derivatives by log α, for uniform noise in (0, 1).
  func sample(using generator: inout SeededGenerator) -> (gates: [Float], slopes: [Double]) {
    var (gates, slopes) = ([Float](), [Double]())
    for parameter in parameters {
      let noise = min(max(generator.uniform(), 1e-6), 1 - 1e-6)
      let s = logistic((logarithm(noise) - logarithm(1 - noise) + parameter) / Self.beta)
      let stretched = s * (Self.high - Self.low) + Self.low
      gates.append(Float(min(1, max(0, stretched))))
      slopes.append(
        stretched > 0 && stretched < 1 ? (Self.high - Self.low) * s * (1 - s) / Self.beta : 0)
    }
    return (gates, slopes)
  }

  /// The probability of each gate to be open at all, with its derivative: their sum is the expected L0 norm.
  var openness: (probabilities: [Double], slopes: [Double]) {
    let shift = Self.beta * logarithm(-Self.low / Self.high)
    let probabilities = parameters.map { logistic($0 - shift) }
    return (probabilities, probabilities.map { $0 * (1 - $0) })
  }

  /// Each gate without noise.
  var expected: [Double] {
    parameters.map { min(1, max(0, logistic($0) * (Self.high - Self.low) + Self.low)) }
  }

  /// One step of Adam against a gradient by log α.
  mutating func descend(_ gradient: [Double], rate: Double) {
    step += 1
    for index in parameters.indices {
      first[index] = 0.9 * first[index] + 0.1 * gradient[index]
      second[index] = 0.999 * second[index] + 0.001 * gradient[index] * gradient[index]
      let mean = first[index] / (1 - power(0.9, Double(step)))
      let deviation = (second[index] / (1 - power(0.999, Double(step)))).squareRoot()
      parameters[index] -= rate * mean / (deviation + 1e-8)
    }
  }
}

private func logistic(_ x: Double) -> Double { 1 / (1 + exponential(-x)) }
