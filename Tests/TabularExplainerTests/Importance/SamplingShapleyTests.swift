// Sampled Shapley values against the definition, counted out over subsets, and against the closed form for a tree.

import Synchronization
import Tables
import TabularExplainer
import Tensors
import Testing
import Trees

/// A function of the cells, with a count of the calls.
private final class CountedFunction: BlackBox {
  let outputNames: [String]
  private let body: @Sendable ([Float]) -> [Float]
  private let counted = Mutex((calls: 0, rows: 0))

  init(_ outputs: [String] = ["y"], _ body: @escaping @Sendable ([Float]) -> [Float]) {
    outputNames = outputs
    self.body = body
  }

  var calls: Int { counted.withLock { $0.calls } }
  var rows: Int { counted.withLock { $0.rows } }

  func predict(_ features: Features) throws -> Tensor {
    counted.withLock { $0 = ($0.calls + 1, $0.rows + features.rowCount) }
    return Tensor(
      (0..<features.rowCount).flatMap { body(features.row($0)) },
      shape: [features.rowCount, outputNames.count])
  }
}

@Suite struct SamplingShapleyTests {
  static func table(_ rows: Int, _ columns: Int, seed: UInt64) -> Features {
    var generator = SeededGenerator(seed: seed)
    return Features(
      names: (0..<columns).map { "x\($0)" }, kinds: .init(repeating: .numeric, count: columns),
      rowCount: rows,
      values: (0..<rows * columns).map { _ in Float(generator.normal()) })
  }

  /// Shapley's formula over all subsets, averaged over the background.
  static func exact(_ f: ([Float]) -> Double, _ row: [Float], _ background: Features) -> [Double] {
    let count = row.count
    func worth(_ known: Int) -> Double {
      (0..<background.rowCount).reduce(0) { sum, start in
        sum + f(row.indices.map { known >> $0 & 1 == 1 ? row[$0] : background[start, $0] })
      } / Double(background.rowCount)
    }
    return row.indices.map { player in
      (0..<(1 << count)).filter { $0 >> player & 1 == 0 }.reduce(0) { sum, known in
        var weight = 1 / Double(count)
        for index in 0..<known.nonzeroBitCount { weight *= Double(index + 1) / Double(count - 1 - index) }
        return sum + weight * (worth(known | 1 << player) - worth(known))
      }
    }
  }

  @Test func additiveFunctionsAreExact() throws {
    let model = CountedFunction { [$0[0] * 2 - $0[1] + $0[2] * $0[2] * 0.5] }
    let background = Self.table(9, 3, seed: 1)
    let rows = Self.table(4, 3, seed: 2)
    let values = try SamplingShapley(background: background, rounds: 2, seed: 3).values(of: model, at: rows)
    for row in 0..<4 {
      let expected = Self.exact(
        { Double($0[0] * 2 - $0[1] + $0[2] * $0[2] * 0.5) }, rows.row(row), background)
      for (own, other) in zip(values.contributions(row: row, output: 0), expected) {
        #expect(abs(own - other) < 1e-6)
      }
      #expect(values.errors(row: row, output: 0).allSatisfy { $0 < 1e-6 })
    }
  }

  @Test func twoPlayersAreExact() throws {
    let model = CountedFunction { [$0[0] * $0[1]] }
    let background = Self.table(5, 2, seed: 4)
    let rows = Self.table(3, 2, seed: 5)
    let values = try SamplingShapley(background: background, seed: 6).values(of: model, at: rows)
    for row in 0..<3 {
      let expected = Self.exact({ Double($0[0] * $0[1]) }, rows.row(row), background)
      for (own, other) in zip(values.contributions(row: row, output: 0), expected) {
        #expect(abs(own - other) < 1e-6)
      }
    }
  }

  @Test func productsAreWithinTheToldError() throws {
    let product: @Sendable ([Float]) -> Float = { (1 + $0[0]) * (2 - $0[1]) * (0.5 + $0[2]) * (1 + $0[3]) }
    let background = Self.table(6, 4, seed: 7)
    let rows = Self.table(3, 4, seed: 8)
    let model = CountedFunction { [product($0)] }
    let values = try SamplingShapley(background: background, rounds: 60, seed: 9).values(of: model, at: rows)
    for row in 0..<3 {
      let expected = Self.exact({ Double(product($0)) }, rows.row(row), background)
      let errors = values.errors(row: row, output: 0)
      for (player, own) in values.contributions(row: row, output: 0).enumerated() {
        #expect(abs(own - expected[player]) < 4 * errors[player] + 1e-6, "row \(row), player \(player)")
        #expect(errors[player] > 0 && errors[player] < 0.2 * (expected.map { abs($0) }.max() ?? 0))
      }
    }
  }

  @Test func contributionsAddUpForEveryOutput() throws {
    let model = CountedFunction(["a", "b"]) { cells in
      let p = 1 / (1 + abs(cells[0] * cells[1] + cells[2] - cells[3]))
      return [p, 1 - p]
    }
    let background = Self.table(7, 4, seed: 10)
    let rows = Self.table(5, 4, seed: 11)
    for players in [[[0], [1], [2], [3]], [[0, 3], [1, 2]], [[2, 1, 0, 3]]] {
      let values = try SamplingShapley(background: background, players: players, seed: 12)
        .values(of: model, at: rows)
      for row in 0..<5 {
        for output in 0..<2 {
          let sum = values.contributions(row: row, output: output).reduce(values.baselines[output], +)
          #expect(abs(sum - Double(values.predictions[row, output])) < 1e-12)
        }
      }
      let attributions = values.attributions(outputs: [0, 1, 0, 1, 0], names: rows.names)
      #expect(attributions.names.count == players.count)
      #expect(attributions.predictions[1] == Double(values.predictions[1, 1]))
    }
  }

  /// The closed form for one tree, one row and one background row: a leaf that the row reaches with the features in `a`
  /// its own and those in `b` the background's gives v (|a|−1)! |b|! / (|a|+|b|)! to the first and takes
  /// v |a|! (|b|−1)! / (|a|+|b|)! from the others (Lundberg et al. 2020, interventional).
  static func closedForm(_ tree: Tree, _ row: [Float], _ start: [Float]) -> [Double] {
    func factorial(_ n: Int) -> Double { (0..<n).reduce(1) { $0 * Double($1 + 1) } }
    var result = [Double](repeating: 0, count: row.count)
    func walk(_ index: Int, _ own: Set<Int>, _ other: Set<Int>) {
      let node = tree.nodes[index]
      if node.isLeaf {
        let value = tree.leafValues[Int(node.left)]
        let (a, b) = (own.count, other.count)
        for feature in own { result[feature] += value * factorial(a - 1) * factorial(b) / factorial(a + b) }
        for feature in other { result[feature] -= value * factorial(a) * factorial(b - 1) / factorial(a + b) }
        return
      }
      let feature = Int(node.feature)
      let (goes, started) = (tree.goesLeft(row[feature], at: node), tree.goesLeft(start[feature], at: node))
      for (child, side) in [(Int(node.left), true), (Int(node.right), false)] {
        switch (goes == side, started == side) {
        case (true, true): walk(child, own, other)
        case (true, false) where !other.contains(feature): walk(child, own.union([feature]), other)
        case (false, true) where !own.contains(feature): walk(child, own, other.union([feature]))
        default: break
        }
      }
    }
    walk(0, [], [])
    return result
  }

  @Test func equalsTheClosedFormForATree() throws {
    // x0 ≤ 0 ? (x1 ≤ 0.2 ? 1 : (x2 ≤ 0 ? −2 : 4)) : (x2 ≤ −0.3 ? 0.5 : (x1 ≤ −0.1 ? 3 : −1))
    let tree = try Tree(
      nodes: [
        .split(feature: 0, atMost: 0, left: 1, right: 2, missingGoesLeft: false),
        .split(feature: 1, atMost: 0.2, left: 3, right: 4, missingGoesLeft: false),
        .split(feature: 2, atMost: -0.3, left: 5, right: 6, missingGoesLeft: false),
        .leaf(valueIndex: 0),
        .split(feature: 2, atMost: 0, left: 7, right: 8, missingGoesLeft: false),
        .leaf(valueIndex: 3),
        .split(feature: 1, atMost: -0.1, left: 9, right: 10, missingGoesLeft: false),
        .leaf(valueIndex: 1), .leaf(valueIndex: 2), .leaf(valueIndex: 4), .leaf(valueIndex: 5),
      ], covers: .init(repeating: 1, count: 11), leafValues: [1, -2, 4, 0.5, 3, -1], output: 0,
      valuesPerLeaf: 1)
    let background = Self.table(8, 3, seed: 13)
    let rows = Self.table(6, 3, seed: 14)
    let ensemble = try TreeEnsemble(
      featureNames: rows.names, featureKinds: rows.kinds, outputNames: ["y"], trees: [tree], baseScores: [0],
      link: .identity)
    let values = try SamplingShapley(background: background, rounds: 100, seed: 15)
      .values(of: TreeBlackBox(ensemble), at: rows)
    for row in 0..<6 {
      var expected = [0.0, 0, 0]
      for start in 0..<8 {
        let part = Self.closedForm(tree, rows.row(row), background.row(start))
        for feature in 0..<3 { expected[feature] += part[feature] / 8 }
      }
      let counted = Self.exact(
        { cells in tree.leafValues[Int(tree.nodes[tree.leaf { cells[$0] }].left)] }, rows.row(row), background
      )
      let errors = values.errors(row: row, output: 0)
      for (feature, own) in values.contributions(row: row, output: 0).enumerated() {
        #expect(abs(expected[feature] - counted[feature]) < 1e-12)
        #expect(abs(own - expected[feature]) < 4 * errors[feature] + 1e-6, "row \(row), feature \(feature)")
      }
    }
  }

  @Test func callsAreFewAndIdleStepsAreFree() throws {
    let model = CountedFunction { [$0[0] + $0[1] + $0[2]] }
    let background = Self.table(10, 3, seed: 16)
    let sampling = SamplingShapley(background: background, rounds: 3, seed: 17)
    let values = try sampling.values(of: model, at: background)
    // Rows, background, and one call for each row.
    #expect(model.calls <= 12)
    // Nine walks of two stops, forth and back, three times; a row's own way changes nothing.
    #expect(model.rows == 20 + 10 * 9 * 2 * 2 * 3)
    #expect(try sampling.values(of: model, at: background) == values)
    let constant = CountedFunction { _ in [3] }
    let none = try sampling.values(of: constant, at: background)
    #expect(none.values.allSatisfy { $0 == 0 } && none.baselines == [3])
  }
}
