// What another draw of the rows would change, features that do it alone, and probabilities that are too sure.

import Foundation
import Tables
import Tensors
import Testing

@testable import TabularExplainer

@Suite struct StabilityTests {
  @Test func refitsAreMeasuredWithinTheirRange() throws {
    let example = ExampleTable(rows: 240, seed: 3)
    let explainer = try KnownRuleTests.explainer(example, .boosted, seed: 3)
    let row = explainer.split.held[0]
    let found = try #require(try explainer.stability(refits: 4, rows: [row]))
    #expect(found.refits == 4 && found.keptOverlap.count == 4 && found.ruleAgreement.count == 4)
    for values in [found.keptOverlap, found.ruleAgreement] {
      let estimate = Stability.estimate(values)
      #expect(estimate.interval.low <= estimate.value && estimate.value <= estimate.interval.high)
      #expect(values.allSatisfy { (0...1).contains($0) })
    }
    #expect(found.timesKept.count == explainer.choice.features.count)
    #expect(found.timesKept.allSatisfy { (0...4).contains($0) })
    #expect(found.contributionSpread > 0)
    // The same seed draws the same rows.
    #expect(try explainer.stability(refits: 4, rows: [row]) == found)
    #expect(try explainer.stability(refits: 0, rows: [row]) == nil)
  }

  @Test func probabilitiesThatAreTooSureAreShrunk() {
    // Seven of ten are right where 0.99 is claimed.
    let labels = (0..<1000).map { $0 % 10 < 7 ? 1 : 0 }
    let claimed = Tensor(labels.flatMap { _ in [Float(0.01), 0.99] }, shape: [1000, 2])
    let calibration = Calibration(claimed, labels: labels)
    let shrunk = calibration.applied(to: claimed)
    #expect(abs(shrunk.values[1] - 0.7) < 0.005)
    // Claims that hold stay as they are.
    let honest = Tensor(labels.flatMap { _ in [Float(0.3), 0.7] }, shape: [1000, 2])
    #expect(Calibration(honest, labels: labels).factor > 0.98)
  }

  /// Every fold is shrunk by what the others show: where one fold alone is honest, it is shrunk all the same.
  @Test func foldsAreShrunkByTheOthers() {
    let labels = (0..<1000).map { $0 % 10 < 7 ? 1 : 0 }
    let folds = [Array(0..<500), Array(500..<1000)]
    let claimed = Tensor(
      labels.indices.flatMap { $0 < 500 ? [Float(0.3), 0.7] : [Float(0.01), 0.99] }, shape: [1000, 2])
    let crossed = Calibration.crossApplied(to: claimed, labels: labels, folds: folds).values
    // The second fold's claims are too sure by a factor of log(99) / log(7 / 3).
    let factor = Foundation.log(7.0 / 3) / Foundation.log(99.0)
    let expected = 1 / (1 + pow(3.0 / 7, factor))
    #expect(abs(Double(crossed[1]) - expected) < 0.01, "\(crossed[1])")
    #expect(abs(crossed[2 * 500 + 1] - 0.99) < 0.001)
  }

  /// Rows explained together are explained as each by itself.
  @Test func rowsTogetherAreExplainedAsOneByOne() throws {
    let example = ExampleTable(rows: 200, seed: 4)
    let explainer = try KnownRuleTests.explainer(example, .extraTrees, seed: 4)
    let rows = [3, 150, 7, 42]
    let together = try explainer.explanations(rows: rows)
    for (row, one) in zip(rows, together) {
      let alone = try explainer.explanation(row: row)
      #expect(one.row == row && one.isHeldOut == alone.isHeldOut && one.outcome == alone.outcome)
      #expect(one.prediction == alone.prediction && one.honestPrediction == alone.honestPrediction)
      #expect(one.anchor == alone.anchor && one.contributions == alone.contributions)
      // A missing cell is unlike itself, but reads the same.
      #expect("\(one.counterfactuals.map(\.changes))" == "\(alone.counterfactuals.map(\.changes))")
    }
  }

  @Test func aFeatureThatDoesItAloneIsNamed() throws {
    var generator = SeededGenerator(seed: 9)
    let rows = 400
    let labels = (0..<rows).map { _ in generator.index(below: 2) }
    // The label with three in a hundred turned round, and noise.
    let nearly = labels.map {
      Float(generator.index(below: 100) < 3 ? 1 - $0 : $0) + Float(generator.uniform()) / 4
    }
    let noise = (0..<rows).map { _ in Float(generator.uniform()) }
    let table = Table(
      features: Features(
        names: ["after the fact", "noise"], kinds: [.numeric, .numeric], rowCount: rows,
        values: nearly + noise),
      target: .classes(labels, names: ["no", "yes"]), targetName: "y")
    let split = try table.split(holding: 0.25, seed: 1)
    let probed = try BlackBoxKind.boosted.probed(table, training: split.training, seed: 1)
    let explainer = try Explainer(table, split: split, probed, options: ExplainerOptions(seed: 1))
    let lone = try explainer.loneFeatures(explainer.blackBoxQuality())
    #expect(lone.map(\.feature) == [0] && lone.first?.measure == "accuracy")
  }
}
