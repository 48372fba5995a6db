// Rankings against the authors' own code, from its codes: SparseAutoencodersTests/Golden/dsae-3x4.safetensors.

import Checkpoints
import CircuitDiscovery
import TestSupport
import Tensors
import Testing

@Suite struct GoldenRankingTests {
  let file: SafetensorsFile
  let codes: HeadCodes
  let labels = (0..<40).map { $0 < 20 }

  init() throws {
    file = try SafetensorsFile(
      path: packageFolder + "/Tests/SparseAutoencodersTests/Golden/dsae-3x4.safetensors")
    codes = HeadCodes(try file.integers("codes").map { Int32($0) }, heads: 12)
  }

  @Test func uniqueCodesAreTheAuthors() throws {
    let counts = codeCounts(codes, labels: labels)
    #expect(counts.map { Float($0.uniqueToPositive) } == (try file.tensor("unique_to_positive").values))
    #expect(counts.map { Float($0.uniqueToNegative) } == (try file.tensor("unique_to_negative").values))
  }

  @Test func pairScoresAreTheAuthors() throws {
    let expected = try file.tensor("pair_unique")
    let pairs = PairScores(codes, labels: labels)
    for i in 0..<12 {
      for j in 0..<12 where i != j { #expect(Float(pairs.score(i, j)) == expected[i, j], "pair \(i), \(j)") }
    }
  }

  @Test func areasUnderTheCurveAreTheAuthors() throws {
    let truth = try file.integers("ground_truth").map { $0 == 1 }
    let nodes = codeCounts(codes, labels: labels).map { $0.score(normalised: false) }
    let nodeArea = try LabelledScores(nodes, isTrue: truth).trapezoidAUC
    #expect(abs(nodeArea - Double(try file.tensor("node_auc")[0])) < 1e-9)
    let pairs = PairScores(codes, labels: labels)
    for ties in [TieRule.laterFirst, .shared] {
      let mentions = headMentions(heads: 12, ties: ties) { pairs.score($0, $1) }
      #expect(mentions.reduce(0, +) == 72)
      let edgeArea = try LabelledScores(mentions, isTrue: truth).trapezoidAUC
      #expect(abs(edgeArea - Double(try file.tensor("edge_auc")[0])) < 1e-9)
    }
  }
}
