// From a table with a known rule to its explanation, with much or little noise beside it.

import Tables
import Tensors
import TestSupport
import Testing

@testable import TabularExplainer

@Suite struct KnownRuleTests {
  static func explainer(
    _ example: ExampleTable, _ kind: BlackBoxKind, seed: UInt64,
    options: ExplainerOptions = ExplainerOptions()
  ) throws -> Explainer {
    let table = Table(
      features: example.features, target: .classes(example.labels, names: example.classNames),
      targetName: example.targetName)
    let split = try table.split(holding: 0.25, seed: seed)
    return try Explainer(
      table, split: split, try kind.probed(table, training: split.training, seed: seed), options: options)
  }

  /// Recall and precision, over ten seeds, of: the features kept, the rule's rows, what counterfactuals change.
  @Test func tenTablesAreExplainedByTheirRules() throws {
    var (kept, rightlyKept) = (0, 0)
    var (ruleRows, foundRows, sharedRows) = (0, 0, 0)
    var (changes, rightChanges, answered, asked) = (0, 0, 0, 0)
    for seed in 1...10 as ClosedRange<UInt64> {
      let example = ExampleTable(rows: 600, seed: seed)
      let explainer = try Self.explainer(example, .boosted, seed: seed)
      let features = Set(explainer.choice.features)
      kept += features.count
      rightlyKept += features.intersection(example.ruleFeatures).count
      let thriving = try explainer.choice.tree.predict(example.features).values
      let found = RowSet(rowCount: 600) { thriving[2 * $0 + 1] > 0.5 }
      let rule = RowSet(example.rule, in: example.features)
      ruleRows += rule.count
      foundRows += found.count
      sharedRows += rule.sharedCount(found)
      for row in explainer.split.held.prefix(10) {
        let explanation = try explainer.explanation(row: row)
        asked += 1
        answered += explanation.counterfactuals.isEmpty ? 0 : 1
        for change in explanation.counterfactuals.prefix(1).flatMap(\.changes) {
          changes += 1
          rightChanges += example.ruleFeatures.contains(change.feature) ? 1 : 0
        }
      }
    }
    #expect(rightlyKept == 30, "recall of features: \(rightlyKept) of 30")
    #expect(kept <= 33, "\(kept) features kept where 30 are right")
    #expect(Double(sharedRows) >= 0.97 * Double(ruleRows), "\(sharedRows) of \(ruleRows) rows of the rules")
    #expect(Double(sharedRows) >= 0.97 * Double(foundRows), "\(sharedRows) of \(foundRows) rows found")
    #expect(answered == asked)
    #expect(Double(rightChanges) >= 0.95 * Double(changes), "\(rightChanges) of \(changes) changes")
  }

  @Test func twentyThousandColumnsOfNoise() throws {
    let example = ExampleTable(rows: 300, noiseColumns: 20_000, turnedLabels: 0, seed: 5)
    let explainer = try Self.explainer(example, .boosted, seed: 5)
    #expect(Set(explainer.probed.ranking.prefix(3)) == Set(example.ruleFeatures))
    #expect(Set(explainer.choice.features.prefix(3)) == Set(example.ruleFeatures))
  }

  @Test func contributionsAddUp() throws {
    let example = ExampleTable(rows: 300, seed: 2)
    for kind in [BlackBoxKind.forest, .boosted] {
      let explainer = try Self.explainer(example, kind, seed: 1)
      let explanation = try explainer.explanation(row: 4)
      let contributions = try #require(explanation.contributions)
      let sum = contributions.values.reduce(contributions.baseline[1]) { $0 + $1[1] }
      // Boosted trees add up in log odds.
      let prediction = explanation.prediction[1]
      #expect(
        abs((contributions.unit == .logOdds ? 1 / (1 + exponential(-sum)) : sum) - prediction) < 1e-5,
        "\(kind)")
    }
  }

  /// e^x by its series, to stay free of Foundation's overloads.
  private func exponential(_ x: Double) -> Double {
    var (sum, term) = (1.0, 1.0)
    for step in 1..<200 {
      term *= x / Double(step)
      sum += term
    }
    return sum
  }

  @Test func theSameSeedExplainsAlike() throws {
    let example = ExampleTable(rows: 300, seed: 3)
    let first = try Self.explainer(example, .extraTrees, seed: 7)
    let second = try Self.explainer(example, .extraTrees, seed: 7)
    #expect(first.choice.surrogate == second.choice.surrogate)
    #expect(first.rules() == second.rules())
    #expect(try first.explanation(row: 9).counterfactuals == second.explanation(row: 9).counterfactuals)
  }

  @Test func limitsHoldOnTheWholeWay() throws {
    let example = ExampleTable(rows: 400, seed: 4)
    let explainer = try Self.explainer(example, .forest, seed: 2)
    var limits = ChangeLimits()
    limits.immutable = [0]
    for row in explainer.split.held.prefix(15) {
      let found = try explainer.explanation(row: row, limits: limits).counterfactuals
      #expect(!found.flatMap(\.changes).contains { $0.feature == 0 })
    }
  }
}

@Suite(.enabled(if: SharedReference.isPresent)) struct ReferenceTableTests {
  /// Section 4 of the method: label agreement at the top 25 features, to be exceeded; R² where it is asked for.
  @Test(arguments: [
    ("spambase.csv", 0.937, 0.86), ("gordon_181x12533.csv.gz", 0.973, 0.86),
    ("khan_63x2308.csv.gz", 0.856, -1), ("golub_72x7129.csv.gz", 0.862, -1),
    ("symptom_precaution_training.csv", 0.276, -1),
  ])
  func fidelityAtTopTwentyFive(name: String, agreement: Double, determination: Double) throws {
    var table = try Table(readingFrom: SharedReference.path("tables/" + name))
    if table.duplicateRowCount > 1000 {
      var seen: Set<Int32> = []
      table = table.selecting(
        rows: (0..<table.rowCount).filter { seen.insert(table.duplicateGroups[$0]).inserted })
    }
    var (agreeing, rows) = (0.0, 0.0)
    var explained: [Double] = []
    var options = ExplainerOptions(seed: 1)
    options.top = 25
    // One fold of a large table says as much as five of a small one.
    for split in try table.folds(5, seed: 1).prefix(table.rowCount > 1000 ? 1 : 5) {
      let probed = try BlackBoxKind.extraTrees.probed(table, training: split.training, seed: 1)
      let explainer = try Explainer(table, split: split, probed, options: options)
      let scorer = FidelityScorer(
        blackBox: explainer.heldOutputs,
        surrogate: try explainer.choice.surrogate.predict(explainer.heldRows))
      agreeing += scorer.measures().labelAgreement * Double(split.held.count)
      rows += Double(split.held.count)
      explained.append(scorer.measures().determination)
    }
    let mean = explained.reduce(0, +) / Double(explained.count)
    print("\(name): agreement \(agreeing / rows), R² \(mean)")
    #expect(agreeing / rows > agreement, "agreement \(agreeing / rows) on \(name)")
    #expect(mean > determination, "R² \(mean) on \(name)")
  }
}
