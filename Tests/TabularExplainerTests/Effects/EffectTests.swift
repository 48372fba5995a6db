// Effects of features, calibration and groups, on black boxes whose answers are known by formula.

import Tables
import TabularExplainer
import Tensors
import Testing

@testable import TabularExplainer

/// A quantity by a formula of two numbers.
private struct Formula: BlackBox {
  var outputNames = ["y"]
  var value: @Sendable (Float, Float) -> Float

  func predict(_ features: Features) throws -> Tensor {
    Tensor(
      (0..<features.rowCount).map { value(features[$0, 0], features[$0, 1]) }, shape: [features.rowCount, 1])
  }
}

@Suite struct EffectTests {
  /// Two numbers with the same values in every row, or the second against the first.
  private func table(rows: Int, second: (Float) -> Float) -> Features {
    let first = (0..<rows).map { Float($0) / Float(rows) }
    return Features(
      names: ["a", "b"], kinds: [.numeric, .numeric], rowCount: rows, values: first + first.map(second))
  }

  private func effect(_ table: Features, _ model: Formula) throws -> FeatureEffect? {
    try FeatureEffect(
      of: 0, in: table, try ChangedTables(table, model: model), output: 0, individualCount: 5)
  }

  /// y = 3a − 2b: both curves are lines of slope 3, and single rows' are parallel.
  @Test func additiveEffectsAreTheirOwn() throws {
    let found = try #require(try effect(table(rows: 200) { 1 - $0 }, Formula { 3 * $0 - 2 * $1 }))
    let accumulated = try #require(found.accumulated)
    #expect(found.grid.count == FeatureEffect.mostPoints && found.individual.count == 5)
    for place in found.grid.indices.dropFirst() {
      let step = Double(found.grid[place] - found.grid[0])
      #expect(abs(found.partialDependence[place] - found.partialDependence[0] - 3 * step) < 1e-5)
      #expect(abs(accumulated[place] - accumulated[0] - 3 * step) < 1e-5)
      for row in found.individual { #expect(abs(row[place] - row[0] - 3 * step) < 1e-5) }
    }
    // The mean of accumulated effects over rows is 0.
    let mean = zip(accumulated, found.shares).reduce(0) { $0 + $1.0 * $1.1 }
    #expect(abs(mean) < 0.1 && abs(found.shares.reduce(0, +) - 1) < 1e-9)
  }

  /// y = ab with b = a: the slope of partial dependence is the mean of b, that of accumulated local effects at a is b
  /// there, which is a: an effect of a²/2 (Apley & Zhu 2020).
  @Test func accumulatedEffectsFollowTheDataWhereFeaturesDepend() throws {
    let found = try #require(try effect(table(rows: 1000) { $0 }, Formula { $0 * $1 }))
    let accumulated = try #require(found.accumulated)
    for place in found.grid.indices {
      let a = Double(found.grid[place])
      #expect(abs(found.partialDependence[place] - 0.4995 * a) < 1e-4)
      #expect(abs((accumulated[place] - accumulated[0]) - a * a / 2) < 2e-3)
    }
  }

  @Test func categoriesAndMissingCells() throws {
    let features = Features(
      names: ["colour", "b"], kinds: [.categorical(["red", "green", "blue"]), .numeric], rowCount: 6,
      values: [0, 0, 1, 1, 1, .nan] + [0, 0, 0, 0, 0, 0])
    let found = try #require(
      try FeatureEffect(
        of: 0, in: features, try ChangedTables(features, model: Formula { a, _ in a.isNaN ? -1 : a }),
        output: 0, individualCount: 2))
    #expect(found.grid == [1, 0] && found.partialDependence == [1, 0] && found.accumulated == nil)
    #expect(found.shares == [0.6, 0.4])
    // One value only: nothing to follow.
    #expect(
      try FeatureEffect(
        of: 1, in: features, try ChangedTables(features, model: Formula { _, b in b }), output: 0,
        individualCount: 2) == nil)
  }

  @Test func calibrationKeepsEqualPredictionsTogether() {
    let probabilities = [Double](repeating: 0.1, count: 60) + [Double](repeating: 0.9, count: 40)
    let bins = calibrationCurve(
      probabilities: probabilities, isTrue: (0..<100).map { $0 < 6 || $0 >= 64 }, bins: 10)
    #expect(bins.map(\.rows) == [60, 40])
    #expect(abs(bins[0].observed - 0.1) < 1e-12 && abs(bins[1].observed - 0.9) < 1e-12)
    #expect(bins[0].interval.low < 0.1 && bins[0].interval.high > 0.1)
    let values = calibrationCurve(
      predictions: (0..<100).map(Double.init), truth: (0..<100).map { 2 * Double($0) }, bins: 4)
    #expect(values.map(\.rows) == [25, 25, 25, 25] && values[0].predicted == 12 && values[0].observed == 24)
    #expect(calibrationCurve(predictions: [], truth: []).isEmpty)
  }
}
