// What float32 operations may be off by, against the same formulas in float64. docs/errors.md has the budgets as a table;
// HEADLAMP_PRINT_ERRORS=1 prints what this machine measures beside them.

import Foundation
import Testing

@testable import Tensors

@Suite struct ErrorBudgetTests {
  private func random(_ count: Int, seed: UInt64) -> [Float] {
    var generator = SeededGenerator(seed: seed)
    return (0..<count).map { _ in Float(generator.normal()) }
  }

  private func check(_ name: String, _ measured: Double, budget: Double) {
    if ProcessInfo.processInfo.environment["HEADLAMP_PRINT_ERRORS"] != nil {
      print("| \(name) | \(String(format: "%.1e", measured)) | \(String(format: "%.0e", budget)) |")
    }
    #expect(measured <= budget, "\(name): \(measured)")
  }

  /// The largest difference, relative to the sum of the sizes of what is added up: what float32 can know of a sum.
  @Test(arguments: [64, 768, 3072, 12288]) func products(inner: Int) {
    let (rows, columns) = (24, 16)
    let (a, b) = (random(rows * inner, seed: 1), random(inner * columns, seed: 2))
    let c = matrixProduct(Tensor(a, shape: [rows, inner]), Tensor(b, shape: [inner, columns])).values
    var worst = 0.0
    for row in 0..<rows {
      for column in 0..<columns {
        var (sum, size) = (0.0, 0.0)
        for index in 0..<inner {
          let term = Double(a[row * inner + index]) * Double(b[index * columns + column])
          sum += term
          size += abs(term)
        }
        worst = max(worst, abs(Double(c[row * columns + column]) - sum) / size)
      }
    }
    check("matrix product, \(inner) terms", worst, budget: 5e-7)
  }

  @Test(arguments: [64, 768, 4096]) func normalisations(width: Int) {
    let x = random(8 * width, seed: 3).map { 3 * $0 + 1 }
    let gain = random(width, seed: 4)
    for (name, kind) in [
      ("layer normalisation", RowNormalization.layer(epsilon: 1e-5)),
      ("root-mean-square normalisation", .rootMeanSquare(epsilon: 1e-6, gainOffset: 0)),
    ] {
      var out = Tensor(zeros: [8, width])
      normalizeRows(Tensor(x, shape: [8, width]), kind, gain: Tensor(gain), bias: nil, into: &out)
      var (worst, largest) = (0.0, 0.0)
      for row in 0..<8 {
        let values = x[row * width..<(row + 1) * width].map { Double($0) }
        var center = 0.0
        if case .layer = kind { center = values.reduce(0, +) / Double(width) }
        let epsilon = if case .layer = kind { 1e-5 } else { 1e-6 }
        let square = values.reduce(0) { $0 + ($1 - center) * ($1 - center) } / Double(width)
        for column in 0..<width {
          let expected = (values[column] - center) / (square + epsilon).squareRoot() * Double(gain[column])
          worst = max(worst, abs(Double(out[row, column]) - expected))
          largest = max(largest, abs(expected))
        }
      }
      check("\(name), width \(width)", worst / largest, budget: 5e-7)
    }
  }

  @Test func activations() {
    let x = random(200_000, seed: 5).map { 3 * $0 }
    func worst(_ kernel: (inout Tensor) -> Void, _ reference: (Double) -> Double) -> Double {
      var out = Tensor(x)
      kernel(&out)
      return zip(x, out.values).map { argument, value in
        abs(Double(value) - reference(Double(argument))) / max(1, abs(Double(argument)))
      }.max() ?? .infinity
    }
    check("GELU", worst({ $0.activate(.gelu) }) { $0 * 0.5 * erfc(-$0 / 2.0.squareRoot()) }, budget: 3e-7)
    check(
      "GELU by tanh",
      worst({ $0.activate(.geluTanh) }) { x in
        0.5 * x * (1 + tanh((2 / Double.pi).squareRoot() * (x + 0.044715 * x * x * x)))
      }, budget: 3e-7)
    check("SiLU", worst({ $0.activate(.silu) }) { $0 / (1 + exp(-$0)) }, budget: 3e-7)
    check("soft cap of 30", worst({ $0.softCap(30) }) { 30 * tanh($0 / 30) }, budget: 1e-6)
  }

  @Test(arguments: [64, 1024]) func attention(length: Int) {
    let width = 64
    let layout = SequenceLayout(lengths: [length])
    let values = random(length * 3 * width, seed: 6)
    let tensor = Tensor(values, shape: [length, 3 * width])
    func columns(_ place: Int) -> HeadColumns {
      HeadColumns(count: 1, width: width, offset: place * width, rowStride: 3 * width)
    }
    let input = AttentionInput(tensor, queries: columns(0), keys: columns(1), values: columns(2))
    let rule = AttentionRule(scale: 0.125)
    let z = attentionMix(input, rule, layout)
    var (worst, largest) = (0.0, 0.0)
    for query in stride(from: length - 1, to: 0, by: -max(1, length / 32)) {
      let weights = (0...query).map { key in
        exp(
          (0..<width).reduce(0.0) { $0 + Double(tensor[query, $1]) * Double(tensor[key, width + $1]) } * 0.125
        )
      }
      let total = weights.reduce(0, +)
      for column in 0..<width {
        let expected = (0...query).reduce(0.0) {
          $0 + weights[$1] / total * Double(tensor[$1, 2 * width + column])
        }
        worst = max(worst, abs(Double(z[query, column]) - expected))
        largest = max(largest, abs(expected))
      }
    }
    check("attention, \(length) keys", worst / largest, budget: 2e-6)
  }
}
