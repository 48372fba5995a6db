// The vectorised loops against the same formulas in double precision.

import Foundation
import Testing

@testable import Tensors

@Suite struct KernelTests {
  /// Every exponent from tiny to large, both signs, and a fine grid around zero.
  static let arguments: [Float] = {
    let powers = stride(from: -20.0, through: 6.5, by: 0.01).map { Float(pow(2, $0)) }
    let grid = stride(from: -12.0, through: 12.0, by: 0.003).map { Float($0) }
    return [0] + powers + powers.map { -$0 } + grid
  }()

  /// The largest error of `kernel` on the arguments, relative to the larger of 1 and the argument's size.
  private func largestError(
    _ kernel: (inout Tensor) -> Void, _ reference: (Double) -> Double
  ) -> Double {
    var x = Tensor(Self.arguments)
    kernel(&x)
    return zip(Self.arguments, x.values).map { argument, value in
      abs(Double(value) - reference(Double(argument))) / max(1, abs(Double(argument)))
    }.max() ?? .infinity
  }

  @Test func activations() {
    #expect(largestError({ $0.activate(.relu) }) { max($0, 0) } == 0)
    #expect(largestError({ $0.activate(.gelu) }) { $0 * 0.5 * erfc(-$0 / 2.0.squareRoot()) } < 3e-7)
    #expect(
      largestError({ $0.activate(.geluTanh) }) { x in
        0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
      } < 3e-7)
    #expect(largestError({ $0.activate(.silu) }) { $0 / (1 + exp(-$0)) } < 3e-7)
    #expect(largestError({ $0.softCap(5) }) { 5 * tanh($0 / 5) } < 1e-6)
  }

  @Test func smallArgumentsKeepTheirDigits() {
    let small: [Float] = [1e-8, -3e-6, 2e-4]
    for activation in [Activation.gelu, .geluTanh, .silu] {
      var x = Tensor(small)
      x.activate(activation)
      for (argument, value) in zip(small, x.values) {
        #expect(abs(value / argument - 0.5) < 2e-4)
      }
    }
    var x = Tensor(small)
    x.softCap(50)
    for (argument, value) in zip(small, x.values) { #expect(abs(value / argument - 1) < 1e-6) }
  }

  @Test(arguments: [1, 2, 7, 16, 33, 768])
  func rowNormalisations(width: Int) {
    var generator = SeededGenerator(seed: UInt64(width))
    func random(_ count: Int, _ center: Double) -> [Float] {
      (0..<count).map { _ in Float(center + generator.normal()) }
    }
    let (x, gain, bias) = (random(5 * width, 3), random(width, 1), random(width, 0))
    let kinds: [RowNormalization] = [
      .layer(epsilon: 1e-5), .rootMeanSquare(epsilon: 1e-6, gainOffset: 0),
      .rootMeanSquare(epsilon: 1e-6, gainOffset: 1),
    ]
    for kind in kinds {
      var out = Tensor(zeros: [5, width])
      normalizeRows(
        Tensor(x, shape: [5, width]), kind, gain: Tensor(gain),
        bias: kind == .layer(epsilon: 1e-5) ? Tensor(bias) : nil, into: &out)
      for row in 0..<5 {
        let values = x[row * width..<(row + 1) * width].map { Double($0) }
        for column in 0..<width {
          let expected: Double
          switch kind {
          case .layer(let epsilon):
            let mean = values.reduce(0, +) / Double(width)
            let variance = values.map { ($0 - mean) * ($0 - mean) }.reduce(0, +) / Double(width)
            expected =
              (values[column] - mean) / (variance + Double(epsilon)).squareRoot() * Double(gain[column])
              + Double(bias[column])
          case .rootMeanSquare(let epsilon, let offset):
            let square = values.map { $0 * $0 }.reduce(0, +) / Double(width)
            expected =
              values[column] / (square + Double(epsilon)).squareRoot() * Double(gain[column] + offset)
          }
          #expect(abs(Double(out[row, column]) - expected) < 2e-5)
        }
      }
    }
  }

  @Test func attentionEqualsItsFormula() {
    // Two sequences of a packed matrix; four query heads on two groups; causal, windowed, capped, and both ways.
    let layout = SequenceLayout(lengths: [5, 3])
    let (heads, groups, width) = (4, 2, 3)
    let rowStride = (heads + 2 * groups) * width
    var generator = SeededGenerator(seed: 9)
    let tensor = Tensor((0..<8 * rowStride).map { _ in Float(generator.normal()) }, shape: [8, rowStride])
    let queries = HeadColumns(count: heads, width: width, rowStride: rowStride)
    let keys = HeadColumns(count: groups, width: width, offset: heads * width, rowStride: rowStride)
    let values = HeadColumns(
      count: groups, width: width, offset: (heads + groups) * width, rowStride: rowStride)
    let input = AttentionInput(tensor, queries: queries, keys: keys, values: values)
    var (leaning, withSinks) = (AttentionRule(scale: 0.5), AttentionRule(scale: 0.5))
    leaning.keyBias = KeyPositionBias(heads: heads)
    withSinks.sinks = (0..<heads).map { Float($0) - 1 }
    let rules = [
      AttentionRule(scale: 0.5), AttentionRule(scale: 0.5, window: 2),
      AttentionRule(scale: 1, scoreCap: 1.5), AttentionRule(scale: 1, isCausal: false), leaning, withSinks,
    ]
    for rule in rules {
      let z = attentionMix(input, rule, layout)
      let squares = AttentionSquares(layout, heads: heads)
      var (pattern, masked) = (Tensor(zeros: [0]), Tensor(zeros: [0]))
      attentionScores(input, rule, layout, into: &pattern)
      attentionScores(input, rule, layout, into: &masked)
      attentionPattern(&pattern, rule, squares)
      maskScores(&masked, rule, squares)
      attentionPattern(ofMasked: &masked, rule, squares)
      #expect(zip(pattern.values, masked.values).allSatisfy { abs($0 - $1) < 1e-6 })
      var again = Tensor(zeros: z.shape)
      attentionMix(pattern: pattern, input, layout, into: &again)
      for (sequence, start) in [(0, 0), (1, 5)] {
        let length = layout.sequences[sequence].length
        for head in 0..<heads {
          for query in 0..<length {
            func vector(_ columns: HeadColumns, _ position: Int, _ head: Int) -> [Double] {
              (0..<width).map {
                Double(tensor[start + position, columns.offset + head * width + $0])
              }
            }
            let q = vector(queries, query, head)
            let weights = (0..<length).map { key -> Double in
              let isSeen =
                (!rule.isCausal || key <= query) && (rule.window.map { query - key < $0 } ?? true)
              guard isSeen else { return 0 }
              var score = zip(q, vector(keys, key, head / 2)).map(*).reduce(0, +) * Double(rule.scale)
              if let slopes = rule.keyBias?.slopes { score += Double(slopes[head]) * Double(key) }
              if let cap = rule.scoreCap { score = Double(cap) * tanh(score / Double(cap)) }
              return exp(score)
            }
            let total = weights.reduce(0, +) + (rule.sinks.map { exp(Double($0[head])) } ?? 0)
            for column in 0..<width {
              let expected = (0..<length).map {
                weights[$0] / total * vector(values, $0, head / 2)[column]
              }.reduce(0, +)
              #expect(abs(Double(z[start + query, head * width + column]) - expected) < 1e-5)
              #expect(abs(Double(again[start + query, head * width + column]) - expected) < 1e-5)
            }
          }
        }
      }
    }
  }

  @Test func turningKeepsLengthsAndDependsOnDistanceAlone() {
    let frequencies = (0..<4).map { pow(10000, -Double($0) / 4) }
    let table = RotaryTable(frequencies: frequencies, length: 64)
    var generator = SeededGenerator(seed: 4)
    let (q, k) = (
      (0..<8).map { _ in Float(generator.normal()) }, (0..<8).map { _ in Float(generator.normal()) }
    )
    let heads = HeadColumns(filling: 1, width: 8)
    func product(_ i: Int32, _ j: Int32) -> Float {
      var rows = Tensor(q + k, shape: [2, 8])
      rotateHeads(&rows, heads, positions: [i, j], table)
      let values = rows.values
      return (0..<8).map { values[$0] * values[8 + $0] }.reduce(0, +)
    }
    let still = zip(q, k).map(*).reduce(0, +)
    #expect(abs(product(0, 0) - still) < 1e-6)
    #expect(abs(product(17, 17) - still) < 1e-5)
    #expect(abs(product(9, 2) - product(40, 33)) < 1e-5)
    #expect(abs(product(9, 2) - product(9, 3)) > 1e-3)
  }
}
