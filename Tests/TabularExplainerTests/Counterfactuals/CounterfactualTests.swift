// Counterfactuals change what the rule names, flip the black box, and keep to their limits.

import Tables
import Tensors
import Testing

@testable import TabularExplainer

@Suite struct CounterfactualTests {
  static func search(_ example: ExampleTable, _ kind: SurrogateKind = .tree) throws -> CounterfactualSearch {
    let blackBox = RuleBlackBox(example)
    let outputs = try blackBox.predict(example.features)
    let surrogate = try SurrogateTests.fitter(example).fit(SurrogatePlan(kind, size: 6))
    let outcomes = Outcomes.classes(example.classNames)
    return CounterfactualSearch(
      blackBox, outcomes: outcomes, surrogate: surrogate, reference: example.features,
      referenceOutputs: outputs, featuresByImportance: Array(0..<example.features.count))
  }

  static func flips(_ example: ExampleTable, _ row: [Float], _ found: Counterfactual, to wanted: Int) -> Bool
  {
    var moved = row
    for change in found.changes { moved[change.feature] = change.to }
    return example.rule.holds { moved[$0] } == (wanted == 1)
  }

  @Test(arguments: 1...10)
  func changesWhatTheRuleNames(seed: Int) throws {
    let example = ExampleTable(rows: 500, seed: UInt64(seed))
    let search = try Self.search(example)
    for row in 0..<25 {
      let cells = example.features.row(row)
      let holds = example.rule.holds { cells[$0] }
      let found = try search.counterfactuals(for: cells, wanted: holds ? 0 : 1)
      #expect(!found.isEmpty, "row \(row)")
      for counterfactual in found {
        #expect(Self.flips(example, cells, counterfactual, to: holds ? 0 : 1), "row \(row)")
        #expect(counterfactual.changes.allSatisfy { example.ruleFeatures.contains($0.feature) })
        #expect(counterfactual.method == .surrogateBox)
      }
      // To leave the box one change is enough; to enter it every broken demand must be met.
      let broken = example.rule.conditions.filter { !$0.holds(cells[$0.feature]) }.count
      #expect(found.first?.changes.count == (holds ? 1 : broken), "row \(row)")
    }
  }

  @Test func limitsAreKept() throws {
    let example = ExampleTable(rows: 500, seed: 2)
    let search = try Self.search(example)
    var limits = ChangeLimits()
    limits.immutable = [1]
    limits.decreaseOnly = [2]
    limits.ranges = [0: 0...11]
    var answered = 0
    for row in 0..<60 {
      let cells = example.features.row(row)
      let holds = example.rule.holds { cells[$0] }
      let found = try search.counterfactuals(for: cells, wanted: holds ? 0 : 1, limits: limits)
      answered += found.isEmpty ? 0 : 1
      for change in found.flatMap(\.changes) {
        #expect(limits.allows(feature: change.feature, from: change.from, to: change.to))
      }
      // Water cannot grow and soil cannot change: who lacks either has no counterfactual.
      if !holds, !example.rule.conditions[1...].allSatisfy({ $0.holds(cells[$0.feature]) }) {
        #expect(found.isEmpty)
      }
    }
    #expect(answered > 10)
  }

  @Test func donorsAnswerWhereTheSurrogateIsBlind() throws {
    let example = ExampleTable(rows: 400, seed: 6)
    let blackBox = RuleBlackBox(example)
    let outcomes = Outcomes.classes(example.classNames)
    let outputs = try blackBox.predict(example.features)
    // A surrogate of columns without meaning.
    let surrogate = try SurrogateFitter(
      example.features, using: [3, 5], rows: Array(0..<400), targets: outputs, outputNames: example.classNames
    ).fit(SurrogatePlan(.tree, size: 3))
    let search = CounterfactualSearch(
      blackBox, outcomes: outcomes, surrogate: surrogate, reference: example.features,
      referenceOutputs: outputs,
      featuresByImportance: [3, 5] + (0..<example.features.count).filter { $0 != 3 && $0 != 5 })
    let row = (0..<400).first { row in !example.rule.holds { example.features[row, $0] } } ?? 0
    let cells = example.features.row(row)
    let found = try search.counterfactuals(for: cells, wanted: 1)
    #expect(!found.isEmpty)
    for counterfactual in found {
      #expect(counterfactual.method != .surrogateBox)
      #expect(Self.flips(example, cells, counterfactual, to: 1))
    }
  }

  @Test func noMoreCellsAreChangedThanAllowed() throws {
    let example = ExampleTable(rows: 400, seed: 6)
    let search = try Self.search(example)
    var limits = ChangeLimits()
    limits.maximumChanges = 1
    for row in 0..<40 {
      let cells = example.features.row(row)
      let found = try search.counterfactuals(for: cells, wanted: 1, limits: limits)
      #expect(found.allSatisfy { $0.changes.count == 1 }, "row \(row)")
    }
  }

  @Test func aQuantityReachesAWantedRange() throws {
    let example = ExampleTable(rows: 300, seed: 4)
    // A quantity that is the first feature, whatever the others are.
    struct FirstFeature: BlackBox {
      let outputNames = ["quantity"]
      func predict(_ features: Features) throws -> Tensor {
        Tensor(features.column(0), shape: [features.rowCount, 1])
      }
    }
    let outputs = try FirstFeature().predict(example.features)
    let surrogate = try SurrogateFitter(
      example.features, using: [0], rows: Array(0..<300), targets: outputs, outputNames: ["quantity"]
    ).fit(SurrogatePlan(.tree, size: 4))
    let search = CounterfactualSearch(
      FirstFeature(), outcomes: Outcomes(outputNames: ["quantity"], trainingOutputs: outputs),
      surrogate: surrogate,
      reference: example.features, referenceOutputs: outputs,
      featuresByImportance: Array(0..<example.features.count))
    let sorted = outputs.values.sorted()
    let range = Double(sorted[100])...Double(sorted[110])
    let row = outputs.values.firstIndex(of: sorted[280]) ?? 0
    let found = try search.counterfactuals(for: example.features.row(row), wanted: .range(range))
    #expect(found.first?.changes.map(\.feature) == [0])
    #expect(found.allSatisfy { range.contains($0.prediction[0]) })
  }

  @Test func theSameQuestionHasTheSameAnswer() throws {
    let example = ExampleTable(rows: 300, seed: 3)
    let cells = example.features.row(7)
    let first = try Self.search(example).counterfactuals(for: cells, wanted: 1)
    #expect(first == (try Self.search(example).counterfactuals(for: cells, wanted: 1)))
  }
}
