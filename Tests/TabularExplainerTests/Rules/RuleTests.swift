// Conditions, boxes, row sets and anchors, against plain loops.

import Tables
import Tensors
import Testing

@testable import TabularExplainer

@Suite struct RuleTests {
  static let features = Features(
    names: ["age", "colour"], kinds: [.numeric, .categorical(["red", "green", "blue"])], rowCount: 5,
    values: [1, 2, .nan, 4, 5, 0, 1, 2, .nan, 0])

  @Test func repeatedBoundsMerge() {
    let box = Box([
      Condition(feature: 0, demand: .range(above: 1, atMost: .infinity), acceptsMissing: true),
      Condition(feature: 1, demand: .categories([0, 2]), acceptsMissing: false),
      Condition(feature: 0, demand: .range(above: -.infinity, atMost: 4.5), acceptsMissing: false),
      Condition(feature: 1, demand: .categories([1, 2]), acceptsMissing: true),
    ])
    let catalogue = FeatureCatalogue(Self.features)
    #expect(catalogue.text(box) == "1 < age ≤ 4.5 and colour is blue")
    #expect(RowSet(box, in: Self.features).rows == [])
    #expect(RowSet(box.dropping(feature: 1), in: Self.features).rows == [1, 3])
  }

  @Test func conditionsInWords() {
    let catalogue = FeatureCatalogue(Self.features)
    func text(_ demand: Condition.Demand, _ feature: Int, missing: Bool = false) -> String {
      catalogue.text(Condition(feature: feature, demand: demand, acceptsMissing: missing))
    }
    #expect(text(.range(above: 0.1, atMost: .infinity), 0) == "age > 0.1")
    #expect(text(.range(above: -.infinity, atMost: 3), 0, missing: true) == "(age ≤ 3 or missing)")
    #expect(text(.range(above: .infinity, atMost: -.infinity), 0, missing: true) == "age is missing")
    #expect(text(.categories([0, 2]), 1, missing: true) == "colour is not green")
    #expect(text(.categories([0]), 1) == "colour is red")
    #expect(catalogue.text(Box()) == "always")
  }

  @Test func rowSetsCountLikeLoops() {
    var generator = SeededGenerator(seed: 9)
    for rows in [1, 63, 64, 65, 200] {
      let a = (0..<rows).map { _ in generator.uniform() < 0.5 }
      let b = (0..<rows).map { _ in generator.uniform() < 0.3 }
      let (left, right) = (RowSet(rowCount: rows) { a[$0] }, RowSet(rowCount: rows) { b[$0] })
      #expect(left.count == a.count { $0 })
      #expect(left.sharedCount(right) == (0..<rows).count { a[$0] && b[$0] })
      #expect(left.subtracting(right).rows == (0..<rows).filter { a[$0] && !b[$0] })
      #expect(RowSet(rowCount: rows, full: true).count == rows)
    }
  }

  @Test func qualityIsCounted() {
    let covered = RowSet(rowCount: 10) { $0 < 4 }
    let quality = RuleQuality(covered: covered, outcome: RowSet(rowCount: 10) { $0 % 2 == 0 })
    #expect(quality.coverage == 0.4)
    #expect(quality.precision == 0.5)
    #expect(quality.lift == 1)
    #expect(quality.precisionBounds == clopperPearson(successes: 2, trials: 4))
  }

  @Test func needlessConditionsGo() {
    let example = ExampleTable(rows: 400, turnedLabels: 0, seed: 8)
    var box = example.rule
    box.add(Condition(feature: 3, demand: .range(above: 10, atMost: 19), acceptsMissing: true))
    let outcome = RowSet(rowCount: 400) { example.labels[$0] == 1 }
    #expect(simplified(box, outcome: outcome, in: example.features) == example.rule)
  }

  /// A leaf of mixed rows must not grow into a wide rule, though its precision would not fall.
  @Test func mixedLeavesStaySmall() {
    // Ten rows: a < 5 is half right in the leaf {0, 1}; without b the rule covers five rows, three of them right.
    let features = Features(
      names: ["a", "b"], kinds: [.numeric, .numeric], rowCount: 10,
      values: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 0, 1, 1, 1, 0, 0, 1, 1, 1])
    let outcome = RowSet(rowCount: 10) { [0, 2, 3].contains($0) }
    let box = Box([
      Condition(feature: 0, demand: .range(above: -.infinity, atMost: 4.5), acceptsMissing: false),
      Condition(feature: 1, demand: .range(above: -.infinity, atMost: 0.5), acceptsMissing: false),
    ])
    #expect(simplified(box, outcome: outcome, in: features) == box)
    // Where the rows that come in agree, the condition goes.
    let wider = RowSet(rowCount: 10) { [0, 2, 3, 4].contains($0) }
    #expect(simplified(box, outcome: wider, in: features) == Box([box.conditions[0]]))
  }

  /// Over ten tables: of the features that anchors name, and of the features that the rule needs, how many agree.
  @Test func anchorsOfTheExampleNameTheRule() throws {
    var (named, rightlyNamed, needed, found) = (0, 0, 0, 0)
    for seed in 1...10 {
      let example = ExampleTable(rows: 600, turnedLabels: 0, seed: UInt64(seed))
      let index = AnchorIndex(
        example.features, using: Array(0..<example.features.count), outcomes: example.labels,
        outcomeCount: 2)
      for row in 0..<40 {
        let anchor = index.anchor(outcome: example.labels[row]) { example.features[row, $0] }
        #expect(anchor.box.holds { example.features[row, $0] })
        #expect(anchor.isSufficient && anchor.quality.precision >= 0.95, "row \(row) of seed \(seed)")
        #expect(
          anchor.quality
            == RuleQuality(
              covered: RowSet(anchor.box, in: example.features),
              outcome: index.rows(of: example.labels[row]))
        )
        let features = Set(anchor.box.conditions.map(\.feature))
        named += features.count
        rightlyNamed += features.intersection(example.ruleFeatures).count
        // All three demands are needed to thrive; one broken demand is enough to fail.
        if example.labels[row] == 1 {
          needed += 3
          found += features.intersection(example.ruleFeatures).count
        }
      }
    }
    #expect(Double(rightlyNamed) >= 0.97 * Double(named), "\(rightlyNamed) of \(named)")
    #expect(Double(found) >= 0.97 * Double(needed), "\(found) of \(needed)")
  }
}
