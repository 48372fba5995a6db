// Occlusion against closed forms; groups of features that say the same.

import Foundation
import Tables
import Tensors
import Testing
import Trees

@testable import TabularExplainer

/// 2 x0 − x1, and nothing of x2; a colour adds 10 where it is the second.
private struct Linear: BlackBox {
  let outputNames = ["y"]
  func predict(_ features: Features) throws -> Tensor {
    Tensor(
      (0..<features.rowCount).map { row in
        2 * features[row, 0] - features[row, 1] + (features.count > 3 && features[row, 3] == 1 ? 10 : 0)
      }, shape: [features.rowCount, 1])
  }
}

@Suite struct OcclusionImportanceTests {
  static let table = Features(
    names: ["a", "b", "c", "colour"], kinds: [.numeric, .numeric, .numeric, .categorical(["r", "g", "b"])],
    rowCount: 4,
    values: [1, 2, 3, 6] + [0, 1, 0, .nan] + [5, 6, 7, 8] + [1, 1, 0, 2])

  @Test func typicalCellsAreMeansAndModes() {
    #expect((0..<4).map { Self.table.typicalCell($0) } == [3, Float(1.0 / 3), 6.5, 1])
    let missing = Features(names: ["a"], kinds: [.numeric], rowCount: 1, values: [.nan])
    #expect(missing.typicalCell(0).isNaN)
  }

  @Test func aLinearModelLosesItsTerm() throws {
    let rows = Self.table.selecting(rows: [0, 1, 2])
    let probe = OcclusionProbe(background: Self.table)
    let attributions = try probe.attributions(of: Linear(), at: rows)
    let expected: [Float] = [-4, 1.0 / 3, 0, 0, -2, -2.0 / 3, 0, 0, 0, 1.0 / 3, 0, -10]
    for (own, other) in zip(attributions.values.values, expected) { #expect(abs(own - other) < 1e-6) }
    #expect(abs(attributions.meanMagnitude.values[3] - 10.0 / 3) < 1e-6)
  }

  @Test func drawsApproachTheMeanOfTheBackground() throws {
    let background = SamplingShapleyTests.table(40, 3, seed: 20)
    let rows = SamplingShapleyTests.table(5, 3, seed: 21)
    let probe = OcclusionProbe(background: background, cover: .draws(3000, seed: 22))
    let attributions = try probe.attributions(of: Linear(), at: rows)
    for row in 0..<5 {
      for (feature, slope) in [2, -1, 0].enumerated() {
        let expected = Float(slope) * (rows[row, feature] - background.typicalCell(feature))
        #expect(abs(attributions.values[row, feature] - expected) < 0.2)
      }
    }
    #expect(try probe.attributions(of: Linear(), at: rows) == attributions)
  }

  @Test func treesAreAskedTheSameAsStrangers() throws {
    let table = SamplingShapleyTests.table(120, 5, seed: 23)
    let labels = (0..<120).map { table[$0, 0] + table[$0, 3] > 0 ? 1 : 0 }
    var options = ForestOptions.randomForest
    options.treeCount = 15
    let ensemble = try TreeEnsemble.forest(
      table, target: .classes(labels, names: ["no", "yes"]), targetName: "y", options: options
    ).ensemble
    let trees = TreeBlackBox(ensemble)
    for cover in [OcclusionProbe.Cover.typical, .draws(4, seed: 1)] {
      let probe = OcclusionProbe(background: table, cover: cover)
      let quick = try probe.attributions(of: trees, at: table)
      let plain = try probe.attributions(
        in: ChangedTables(asking: trees, about: table), table, outputs: nil)
      #expect(quick == plain)
      let ranking = quick.meanMagnitude.top(2).sorted()
      #expect(ranking == [0, 3])
    }
  }
}

@Suite struct FeatureGroupsTests {
  /// b = −a³ (ranks alike, cells less so), c = a + much noise, d alone, e constant, f = 2 a with a gap, g a category.
  static func table() -> Features {
    let plain = SamplingShapleyTests.table(200, 3, seed: 30)
    let (a, noise, d) = (Array(plain.column(0)), Array(plain.column(1)), Array(plain.column(2)))
    var f = a.map { 2 * $0 }
    f[0] = .nan
    let e = [Float](repeating: 1, count: 200)
    let g = a.map { $0 > 0 ? Float(2) : 0 }
    return Features(
      names: ["a", "b", "c", "d", "e", "f", "g"],
      kinds: .init(repeating: .numeric, count: 6) + [.categorical(["u", "v", "w"])], rowCount: 200,
      values: a + a.map { -$0 * $0 * $0 } + zip(a, noise).map { $0 + 2 * $1 } + d + e + f + g)
  }

  @Test func ranksJoinWhatRisesOrFallsTogether() throws {
    let table = Self.table()
    let groups = FeatureGroups(table, candidates: Array(0..<7), threshold: 0.95)
    #expect(groups.members == [[0, 1, 5], [2], [3], [4], [6]])
    #expect(groups.names[0] == ["a", "b", "f"])
    let straight = FeatureGroups(table, candidates: [6, 5, 1, 0], threshold: 0.95, likeness: .pearson)
    #expect(straight.members == [[0, 5], [1], [6]])
    let chained = FeatureGroups(table, candidates: [0, 2, 5], threshold: 0.2)
    #expect(chained.members == [[0, 2, 5]])
    #expect(FeatureGroups(table, candidates: []).members.isEmpty)
    #expect(
      try JSONDecoder().decode(FeatureGroups.self, from: JSONEncoder().encode(groups)) == groups)
  }

  @Test func middleRanksGiveTheKnownCorrelation() {
    // Spearman's ρ of these, with ties, is 0.8207826816681233 by scipy.stats.spearmanr.
    let table = Features(
      names: ["x", "y"], kinds: [.numeric, .numeric], rowCount: 5, values: [1, 2, 2, 4, 5, 2, 1, 3, 4, 6])
    #expect(FeatureGroups(table, candidates: [0, 1], threshold: 0.8207).members == [[0, 1]])
    #expect(FeatureGroups(table, candidates: [0, 1], threshold: 0.8209).members == [[0], [1]])
  }

  @Test func aGroupLosesWhatItsMembersHide() throws {
    // The model reads the mean of two copies: shuffling one leaves half of the signal.
    struct Copies: BlackBox {
      let outputNames = ["y"]
      func predict(_ features: Features) throws -> Tensor {
        Tensor(
          (0..<features.rowCount).map { (features[$0, 0] + features[$0, 1]) / 2 },
          shape: [features.rowCount, 1])
      }
    }
    let one = SamplingShapleyTests.table(300, 1, seed: 31)
    let other = SamplingShapleyTests.table(300, 1, seed: 32)
    let table = Features(
      names: ["a", "copy", "other"], kinds: .init(repeating: .numeric, count: 3), rowCount: 300,
      values: one.values + one.values + other.values)
    let truth = one.values
    let score: (Tensor) -> Double = {
      -zip($0.values, truth).reduce(0) { $0 + Double(($1.0 - $1.1) * ($1.0 - $1.1)) } / 300
    }
    let groups = FeatureGroups(table, candidates: [0, 1, 2])
    #expect(groups.members == [[0, 1], [2]])
    let probe = PermutationProbe(rows: 300, repeats: 8, seed: 33)
    let alone = try probe.importance(of: Copies(), on: table, score: score)
    let together = try probe.importance(of: Copies(), on: table, groups: groups, score: score)
    // Both copies move by the same: a quarter of the squared error each, the whole of it together.
    #expect(abs(together.values[0] - 4 * alone.values[0]) < 1e-5)
    #expect(together.values[1] == 0)
    #expect(together.ranking == [0, 1])
    let read = try JSONDecoder().decode(GroupImportance.self, from: JSONEncoder().encode(together))
    #expect(read == together)
  }
}
