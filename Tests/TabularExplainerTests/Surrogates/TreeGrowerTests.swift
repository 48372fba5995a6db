// Growing trees: against exhaustive search, and thresholds that are short.

import Tables
import Tensors
import Testing

@testable import TabularExplainer

@Suite struct TreeGrowerTests {
  /// Squared error of parting `targets` in two, summed over outputs.
  static func error(_ targets: [Double], outputs: Int, left: [Bool]) -> Double {
    var sum = 0.0
    for side in [true, false] {
      for output in 0..<outputs {
        let values = left.indices.filter { left[$0] == side }.map { targets[$0 * outputs + output] }
        let mean = values.reduce(0, +) / Double(max(values.count, 1))
        sum += values.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
      }
    }
    return sum
  }

  @Test(arguments: 0..<20)
  func theFirstSplitIsTheBestOfAll(seed: Int) {
    var generator = SeededGenerator(seed: UInt64(seed), stream: "grower")
    let (rows, outputs) = (14, 1 + seed % 3)
    let numeric = (0..<rows).map { _ in
      generator.uniform() < 0.15 ? Float.nan : Float(generator.index(below: 6)) / 2
    }
    let category = (0..<rows).map { _ in Float(generator.index(below: 4)) }
    let features = Features(
      names: ["x", "c"], kinds: [.numeric, .categorical(["a", "b", "c", "d"])], rowCount: rows,
      values: numeric + category)
    let targets = (0..<rows * outputs).map { _ in generator.uniform() }
    let columns = BinnedColumns(features, using: [0, 1], rows: Array(0..<rows))
    let grown = TreeGrower(columns: columns, outputs: outputs).grow(
      targets: targets, rows: Array(0..<Int32(rows)), limits: TreeLimits(leaves: 2, rowsPerLeaf: 1))

    var best = Double.infinity
    func consider(_ left: [Bool]) {
      guard left.contains(true), left.contains(false) else { return }
      best = min(best, Self.error(targets, outputs: outputs, left: left))
    }
    for cut in numeric where !cut.isNaN {
      for missing in [true, false] { consider(numeric.map { $0.isNaN ? missing : $0 <= cut }) }
    }
    for mask in 1..<15 where outputs == 1 { consider(category.map { mask >> Int($0) & 1 == 1 }) }
    let found = Self.error(targets, outputs: outputs, left: grown.leafOfRow.map { $0 == 1 })
    // With several outputs, category sets are tried in one order only; numeric splits are always exhaustive.
    #expect(outputs == 1 ? abs(found - best) < 1e-9 : found < best + 1e-9, "seed \(seed)")
  }

  @Test func shortNumbersSeparate() {
    var generator = SeededGenerator(seed: 5)
    for _ in 0..<2000 {
      let low = Float(generator.normal() * 100)
      let high = low + Float(generator.uniform() + 1e-4)
      let number = shortestNumber(from: low, below: high)
      #expect(low <= number && number < high)
      #expect(number.shortText.count <= max(low.shortText.count, high.shortText.count))
    }
    #expect(["0.33", "0.34"].contains(shortestNumber(from: 0.31, below: 0.36).shortText))
    #expect(shortestNumber(from: -3, below: 4).shortText == "0")
    #expect(shortestNumber(from: 41, below: 42).shortText == "41")
    #expect(shortestNumber(from: 0, below: Float.leastNonzeroMagnitude) == 0)
  }

  @Test func boxesPartTheSpace() throws {
    let example = ExampleTable(rows: 300, seed: 4)
    let truth = try RuleBlackBox(example).predict(example.features)
    let surrogate = try SurrogateFitter(
      example.features, using: [5, 2, 1, 0], rows: Array(0..<300), targets: truth,
      outputNames: example.classNames
    ).fit(SurrogatePlan(.tree, size: 9))
    let predicted = try surrogate.predict(example.features).values
    for row in 0..<300 {
      let holding = surrogate.rules.filter { $0.box.holds { example.features[row, $0] } }
      #expect(holding.count == 1, "row \(row)")
      #expect(abs((holding.first?.prediction[1] ?? -1) - Double(predicted[2 * row + 1])) < 1e-6)
    }
  }
}

@Suite struct MissingCellTests {
  /// A column whose only meaning is whether its cell is there.
  @Test func missingnessCanDecide() throws {
    let rows = 60
    let cells = (0..<rows).map { $0 % 3 == 0 ? Float.nan : Float($0) }
    let features = Features(names: ["income"], kinds: [.numeric], rowCount: rows, values: cells)
    let truth = Tensor(cells.flatMap { $0.isNaN ? [1, 0] : [0, 1] as [Float] }, shape: [rows, 2])
    let surrogate = try SurrogateFitter(
      features, using: [0], rows: Array(0..<rows), targets: truth, outputNames: ["no", "yes"]
    ).fit(SurrogatePlan(.tree, size: 4))
    #expect(try surrogate.predict(features) == truth)
    let texts = surrogate.rules.map { FeatureCatalogue(features).text($0.box) }.sorted()
    #expect(texts == ["income is known", "income is missing"])
    // A number beyond all that were seen is still a number.
    let far = Features(names: ["income"], kinds: [.numeric], rowCount: 1, values: [1e9])
    #expect(try surrogate.predict(far).values == [0, 1])
  }
}
