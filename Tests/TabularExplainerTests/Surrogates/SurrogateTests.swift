// Every form of surrogate finds a rule that is there, and says so in short numbers.

import Tables
import Tensors
import Testing

@testable import TabularExplainer

@Suite struct SurrogateTests {
  static func fitter(_ example: ExampleTable) throws -> SurrogateFitter {
    SurrogateFitter(
      example.features, using: Array(0..<example.features.count),
      rows: Array(0..<example.features.rowCount),
      targets: try RuleBlackBox(example).predict(example.features),
      outputNames: example.classNames)
  }

  @Test(arguments: SurrogateKind.allCases)
  func everyFormFollowsARule(kind: SurrogateKind) throws {
    let example = ExampleTable(rows: 500, seed: 11)
    let size = kind == .treeSum ? 60 : 8
    let surrogate = try Self.fitter(example).fit(SurrogatePlan(kind, size: size, leavesPerTree: 4))
    let fresh = ExampleTable(rows: 400, seed: 11).features
    let fidelity = FidelityScorer(
      blackBox: try RuleBlackBox(example).predict(fresh), surrogate: try surrogate.predict(fresh)
    ).measures()
    #expect(fidelity.labelAgreement > 0.97, "\(kind)")
    #expect(fidelity.determination > 0.9, "\(kind)")
    #expect(surrogate.complexity.rules > 0)
  }

  @Test(arguments: 1...10)
  func theTreesRuleIsTheRule(seed: Int) throws {
    let example = ExampleTable(rows: 600, seed: UInt64(seed))
    let surrogate = try Self.fitter(example).fit(SurrogatePlan(.tree, size: 4))
    let thriving = surrogate.rules.filter { $0.prediction[1] > 0.5 }
    #expect(thriving.count == 1)
    // Thresholds may lie anywhere between the neighbouring observed values: compare on the rows. A threshold chosen
    // before the other demands are known may be off by a row or two.
    let found = RowSet(thriving.first?.box ?? Box(), in: example.features)
    let rule = RowSet(example.rule, in: example.features)
    #expect(found.subtracting(rule).count + rule.subtracting(found).count <= 3, "seed \(seed)")
    #expect(thriving.first?.box.conditions.map(\.feature) == example.ruleFeatures)
  }

  @Test func aSumOfStumpsFitsASum() throws {
    var generator = SeededGenerator(seed: 2)
    let rows = 400
    let x = (0..<3 * rows).map { _ in Float(generator.uniform()) }
    let features = Features(
      names: ["a", "b", "c"], kinds: [.numeric, .numeric, .numeric], rowCount: rows, values: x)
    let y = (0..<rows).map { x[$0] * 2 - x[rows + $0] }
    let fitter = SurrogateFitter(
      features, using: [0, 1, 2], rows: Array(0..<rows), targets: Tensor(y, shape: [rows, 1]),
      outputNames: ["y"])
    let surrogate = try fitter.fit(SurrogatePlan(.treeSum, size: 150, leavesPerTree: 2))
    let measures = RegressionMeasures(truth: y, predicted: try surrogate.predict(features).values)
    #expect(measures.determination > 0.98)
  }

  @Test func theCurveStopsWhereMoreLeavesDoNotHelp() throws {
    let example = ExampleTable(rows: 500, seed: 3)
    let curve = FidelityCurve(
      example.features, using: example.ruleFeatures, rows: Array(0..<500),
      targets: try RuleBlackBox(example).predict(example.features), outputNames: example.classNames, seed: 1)
    let points = try curve.points([2, 3, 4, 6, 9].map { SurrogatePlan(.tree, size: $0) })
    #expect(simplestSufficient(points, tolerance: 0.01)?.plan.size == 4)
    #expect(points[0].determination < points[1].determination)
    #expect(points[1].determination < points[2].determination)
  }
}
