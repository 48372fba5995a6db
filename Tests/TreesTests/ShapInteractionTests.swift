// SHAP interaction values against their definition, counted out over all subsets.

import Tables
import Testing

@testable import Trees

@Suite struct ShapInteractionTests {
  /// Half the Shapley interaction index of two features: over all subsets S of the others,
  /// |S|! (n − |S| − 2)! / (2 (n − 1)!) · (v(S ∪ ij) − v(S ∪ i) − v(S ∪ j) + v(S)).
  private static func index(
    _ tree: Tree, _ row: [Float], _ first: Int, _ second: Int, of count: Int
  ) -> Double {
    let others = (0..<count).filter { $0 != first && $0 != second }
    func factorial(_ number: Int) -> Double { (0..<number).reduce(1) { $0 * Double($1 + 1) } }
    var sum = 0.0
    for subset in 0..<(1 << others.count) {
      let known = Set(others.indices.filter { subset >> $0 & 1 == 1 }.map { others[$0] })
      func value(_ more: [Int]) -> Double { ShapTests.expectation(tree, row, known: known.union(more)) }
      let weight = factorial(known.count) * factorial(count - known.count - 2) / (2 * factorial(count - 1))
      sum += weight * (value([first, second]) - value([first]) - value([second]) + value([]))
    }
    return sum
  }

  private func boosted(_ rows: Int, seed: UInt64) throws -> (TreeEnsemble, Features) {
    let (features, labels) = GrowingTests.mixed(rows, seed: seed)
    var options = BoostingOptions()
    (options.rounds, options.maximumDepth, options.minimumLeafWeight) = (4, 5, 0.01)
    return (
      try TreeEnsemble.boosted(
        features, target: .classes(labels, names: ["no", "yes"]), targetName: "y", options: options),
      features
    )
  }

  @Test func equalTheDefinition() throws {
    let (ensemble, features) = try boosted(120, seed: 9)
    let found = try ensemble.shapInteractions(features)
    var largest = 0.0
    for row in stride(from: 0, to: 120, by: 23) {
      let cells = features.row(row)
      for (i, first) in found.features.enumerated() {
        for (j, second) in found.features.enumerated() where j != i {
          let expected = ensemble.trees.reduce(0) {
            $0 + Self.index($1, cells, first, second, of: features.count)
          }
          #expect(abs(found[row, i, j] - expected) < 1e-12)
          #expect(abs(found[row, i, j] - found[row, j, i]) < 1e-12)
          largest = max(largest, abs(expected))
        }
      }
    }
    #expect(largest > 0.01)
  }

  /// Rows of the matrix sum to the features' SHAP values, and all of it to the score.
  @Test func sumToShapValues() throws {
    let (ensemble, features) = try boosted(80, seed: 4)
    let found = try ensemble.shapInteractions(features)
    let shap = try ensemble.shapValues(features)
    for row in 0..<80 {
      for place in found.features.indices {
        let sum = found.features.indices.reduce(0) { $0 + found[row, place, $1] }
        #expect(abs(sum - shap.contributions(row: row, score: 0)[place]) < 1e-12)
      }
    }
  }
}
