// Measures against Golden/scores.json, made by Golden/scores.py with scikit-learn; degenerate cases; heads.csv.

import CausalMethods
import CircuitDiscovery
import Foundation
import TestSupport
import Testing

@Suite struct ScoreTests {
  struct Golden: Decodable {
    struct Case: Decodable {
      var truth: [Int]
      var scores: [Double]
      var trapezoid_auc: Double
      var pessimistic_auc: Double
      var average_precision: Double
      var best_authors_f1: Double
      var k: Int?
      var precision_at_k: Double?
      var recall_at_k: Double?
      var f1_at_k: Double?
    }
    var cases: [Case]
  }

  static func golden() throws -> [Golden.Case] {
    let path = packageFolder + "/Tests/CircuitDiscoveryTests/Golden/scores.json"
    return try JSONDecoder().decode(Golden.self, from: Data(contentsOf: URL(fileURLWithPath: path))).cases
  }

  @Test func measuresEqualScikitLearn() throws {
    let cases = try Self.golden()
    #expect(cases.count == 20)
    for (index, golden) in cases.enumerated() {
      let scores = try LabelledScores(golden.scores, isTrue: golden.truth.map { $0 == 1 })
      let pairs = [
        (scores.trapezoidAUC, golden.trapezoid_auc), (scores.pessimisticAUC, golden.pessimistic_auc),
        (scores.averagePrecision, golden.average_precision), (scores.bestAuthorsF1, golden.best_authors_f1),
      ]
      for (place, pair) in pairs.enumerated() {
        #expect(abs(pair.0 - pair.1) < 1e-12, "case \(index), measure \(place)")
      }
      guard let k = golden.k, let precision = golden.precision_at_k, let recall = golden.recall_at_k,
        let f1 = golden.f1_at_k
      else { continue }
      let top = try scores.top(k)
      #expect(abs(top.precision - precision) < 1e-12, "case \(index)")
      #expect(abs(top.recall - recall) < 1e-12, "case \(index)")
      #expect(abs(top.f1 - f1) < 1e-12, "case \(index)")
    }
  }

  @Test func theAuthorsF1IsNotF1() throws {
    let top = try LabelledScores([3, 2, 1, 0], isTrue: [true, false, true, false]).top(2)
    #expect(top.f1 == 0.5)
    #expect(abs(top.authorsF1 - 2 * 0.5 * 0.5 / 1.0) < 1e-15)
    let wide = try LabelledScores(
      (0..<10).map { -Double($0) }, isTrue: (0..<10).map { $0 == 0 }
    ).top(2)
    #expect(abs(wide.f1 - 2.0 / 3) < 1e-15)
    #expect(abs(wide.authorsF1 - 2 * (8.0 / 9) / (1 + 8.0 / 9)) < 1e-15)
  }

  @Test func whatCannotBeScored() {
    #expect(throws: ScoreError.noTrueHeads(truth: "t")) {
      try LabelledScores([1, 2], isTrue: [false, false], name: "t")
    }
    #expect(throws: ScoreError.noFalseHeads(truth: "t")) {
      try LabelledScores([1, 2], isTrue: [true, true], name: "t")
    }
    #expect(throws: ScoreError.notANumber(index: 1)) {
      try LabelledScores([1, .nan], isTrue: [true, false])
    }
    #expect(throws: ScoreError.badCount(3, heads: 2)) {
      try LabelledScores([1, 2], isTrue: [true, false]).top(3)
    }
    #expect(throws: ScoreError.badCount(0, heads: 2)) {
      try LabelledScores([1, 2], isTrue: [true, false]).top(0)
    }
  }

  @Test func theOrderOfTheRowsDoesNotMatter() throws {
    let rows = ["1,0,0,4", "2,1,1,4", "3,0,1,1", "4,1,0,0"]
    let header = "rank,layer,head,score\n"
    let table = try HeadTable(parsing: header + rows.joined(separator: "\n"), path: "a")
    #expect(table.scores == [4, 1, 0, 4])
    #expect(try HeadTable(parsing: header + rows.reversed().joined(separator: "\r\n"), path: "a") == table)
  }

  @Test(arguments: [
    ("rank,layer,score\n1,0,1\n", 1, "head"),
    ("layer,head,score\n0,0,x\n", 2, "score"),
    ("layer,head,score\n0,-1,1\n", 2, "head"),
    ("layer,head,score\n0,0,1\n0,0,2\n", 3, "head"),
    ("layer,head,score\n0,0,1,5\n", 2, ""),
    ("layer,head,score\n0,0,1\n1,1,2\n", 4, ""),
    ("layer,head,score\n", 2, ""),
    ("layer,layer,score\n", 1, "layer"),
    ("layer,head,score\n0,0,nan\n", 2, "score"),
  ])
  func aBadTableNamesLineAndColumn(text: String, line: Int, column: String) {
    let error = #expect(throws: ScoreError.self) { try HeadTable(parsing: text, path: "heads.csv") }
    guard case .badTable("heads.csv", let foundLine, let foundColumn, _)? = error else {
      Issue.record("another error: \(String(describing: error))")
      return
    }
    #expect(foundLine == line)
    #expect(foundColumn == column)
  }

  @Test func severalRankingsHaveAMeanAndAnInterval() throws {
    let truth = GroundTruth(
      name: "t", model: "m", layers: 2, headsPerLayer: 2, source: "here",
      groups: [GroundTruth.Group(heads: [HeadIndex(layer: 1, head: 0)])])
    let tables = [[0, 0, 9, 0], [9, 0, 8, 0], [9.0, 9, 8, 8]].map {
      HeadTable(path: "x", layers: 2, headsPerLayer: 2, scores: $0)
    }
    let evaluation = try Evaluation(tables, truth: truth)
    let area = try #require(evaluation.measure(named: "trapezoid_auc"))
    let expected: [Double] = [1, 2.0 / 3, 0.5 / 3]
    #expect(area.values == expected)
    let interval = try #require(area.interval)
    #expect(interval.lowerBound < area.mean && area.mean < interval.upperBound)
    #expect(try Evaluation(tables, truth: truth) == evaluation)
    #expect(try Evaluation([tables[0]], truth: truth).measures.allSatisfy { $0.interval == nil })
    #expect(throws: ScoreError.self) {
      try Evaluation([HeadTable(path: "x", layers: 1, headsPerLayer: 1, scores: [1])], truth: truth)
    }
  }

  @Test func oneRankingHasAnIntervalOverItsPrompts() throws {
    let truth = GroundTruth(
      name: "t", model: "m", layers: 2, headsPerLayer: 2, source: "here",
      groups: [GroundTruth.Group(heads: [HeadIndex(layer: 1, head: 0)])])
    let table = HeadTable(path: "x", layers: 2, headsPerLayer: 2, scores: [0, 1, 3, 2])
    // Of a hundred draws ten rank one false head above the true one.
    let draws = (0..<100).map { $0 % 10 == 0 ? [0, 1, 2, 3.0] : [0, 1, 3, 2.0] }
    let evaluation = try Evaluation(table, draws: draws, truth: truth)
    let area = try #require(evaluation.measure(named: "trapezoid_auc"))
    #expect(evaluation.resampled == .prompts)
    #expect(area.mean == 1 && area.deviation == nil)
    #expect(area.interval == 2.0 / 3...1)
    #expect(try Evaluation(table, draws: [], truth: truth).resampled == nil)
    #expect(try Evaluation([table, table], truth: truth).resampled == .rankings)
  }

  @Test func theBootstrapIntervalOfAMeanIsAboutTwoStandardErrors() {
    let values = (0..<400).map { Double($0 % 20) }
    let interval = bootstrapInterval(ofMean: values, seed: 3)
    let error = (33.25 / 400).squareRoot()
    #expect(abs(interval.lowerBound - (9.5 - 1.96 * error)) < 0.1)
    #expect(abs(interval.upperBound - (9.5 + 1.96 * error)) < 0.1)
  }
}
