// Permutation importance against scikit-learn's, given its shuffles: Golden/permutation.json, written by
// Golden/permutation.py; and the quick way through trees against whole tables.

import Foundation
import Tables
import Tensors
import TestSupport
import Testing
import Trees

@testable import TabularExplainer

/// A model, rows, and what scikit-learn says of them.
private struct Golden: Decodable {
  var name: String
  var model: TreeEnsemble?
  var file: String?
  var rows: [[Float?]]
  var truth: [Double]
  var permutations: [[Int]]
  var importances: [[Double]]
  var means: [Double]

  static func load() throws -> [Golden] {
    let path = packageFolder + "/Tests/TabularExplainerTests/Golden/permutation.json"
    return try JSONDecoder().decode([Golden].self, from: Data(contentsOf: URL(fileURLWithPath: path)))
  }

  func ensemble() throws -> TreeEnsemble {
    if let model { return model }
    let path = ImportGolden.folder + "/" + (file ?? "")
    return try #require(try ImportedModel(path: path).trees)
  }

  func features(_ ensemble: TreeEnsemble) -> Features {
    Features(
      names: ensemble.featureNames, kinds: ensemble.featureKinds, rowCount: rows.count,
      values: ensemble.featureNames.indices.flatMap { column in rows.map { $0[column] ?? .nan } })
  }

  /// Accuracy, or R² where there is one output: what scikit-learn's `score` says.
  func score(_ predictions: Tensor) -> Double {
    let width = predictions.shape[1]
    let values = predictions.values
    if width == 1 {
      let mean = truth.reduce(0, +) / Double(truth.count)
      let residual = zip(truth, values).reduce(0) { $0 + ($1.0 - Double($1.1)) * ($1.0 - Double($1.1)) }
      return 1 - residual / truth.reduce(0) { $0 + ($1 - mean) * ($1 - mean) }
    }
    let right = truth.indices.count { row in
      let own = Array(values[row * width..<(row + 1) * width])
      return own.firstIndex(of: own.max() ?? 0) == Int(truth[row])
    }
    return Double(right) / Double(truth.count)
  }
}

/// A tree model that does not say so.
private struct Disguised: BlackBox {
  var trees: TreeEnsemble
  var outputNames: [String] { trees.outputNames }
  func predict(_ features: Features) throws -> Tensor { try trees.predict(features) }
}

@Suite struct PermutationImportanceTests {
  @Test func equalsScikitLearnGivenItsShuffles() throws {
    let cases = try Golden.load()
    #expect(cases.map(\.name) == ["forest", "regression forest", "boosted"])
    for golden in cases {
      let ensemble = try golden.ensemble()
      let features = golden.features(ensemble)
      let probe = PermutationProbe(permutations: golden.permutations)
      let importance = try probe.importance(of: TreeBlackBox(ensemble), on: features, score: golden.score)
      let ranges = try #require(importance.intervals)
      for feature in golden.means.indices {
        let label = "\(golden.name), \(importance.names[feature])"
        #expect(abs(importance.values[feature] - golden.means[feature]) < 1e-6, "\(label)")
        let expected = golden.importances[feature]
        #expect(abs(ranges[feature].lowerBound - (expected.min() ?? .nan)) < 1e-6, "\(label)")
        #expect(abs(ranges[feature].upperBound - (expected.max() ?? .nan)) < 1e-6, "\(label)")
      }
      #expect(golden.means.contains { $0 > 0.1 })
    }
  }

  @Test func aStrangerIsToldTheSameAsTrees() throws {
    for golden in try Golden.load() {
      let ensemble = try golden.ensemble()
      // Columns in another order, and one more: both are found by name.
      let own = golden.features(ensemble)
      let mixed = own.selecting(features: [3, 1, 0, 5, 4, 2])
      let features = Features(
        names: mixed.names + ["spare"], kinds: mixed.kinds + [.numeric], rowCount: mixed.rowCount,
        values: mixed.values + [Float](repeating: 1, count: mixed.rowCount))
      let probe = PermutationProbe(rows: features.rowCount, repeats: 3, seed: 4)
      let quick = try probe.importance(of: TreeBlackBox(ensemble), on: features, score: golden.score)
      let plain = try probe.importance(of: Disguised(trees: ensemble), on: features, score: golden.score)
      #expect(quick == plain)
      #expect(quick.names == features.names)
      #expect(quick.values.last == 0)
    }
  }

  @Test func reroutedRowsEqualTheChangedTable() throws {
    for golden in try Golden.load() {
      let ensemble = try golden.ensemble()
      let features = golden.features(ensemble)
      let routed = try RoutedRows(ensemble, features)
      #expect(try routed.predictions == ensemble.predict(features))
      var generator = SeededGenerator(seed: 8)
      for pair in [[0], [1, 4], [5, 2, 3]] {
        let columns = pair.map { feature in
          let order = generator.permutation(of: features.rowCount)
          return ReplacedColumn(
            feature: feature, cells: order.map { $0 % 9 == 0 ? .nan : features[$0, feature] })
        }
        var cells = features.values
        for column in columns {
          let start = column.feature * features.rowCount
          cells.replaceSubrange(start..<start + features.rowCount, with: column.cells)
        }
        let changed = Features(
          names: features.names, kinds: features.kinds, rowCount: features.rowCount, values: cells)
        let answer = routed.predictions(replacing: columns)
        #expect(try answer == ensemble.predict(changed))
        #expect(answer != routed.predictions)
      }
    }
  }

  @Test func nothingIsLostWithoutRowsOrShuffles() throws {
    let golden = try #require(try Golden.load().first)
    let ensemble = try golden.ensemble()
    let features = golden.features(ensemble)
    let none = try PermutationProbe(permutations: []).importance(
      of: TreeBlackBox(ensemble), on: features, score: golden.score)
    #expect(none.values == [0, 0, 0, 0, 0, 0])
    let empty = try PermutationProbe(rows: 0, seed: 1).importance(
      of: Disguised(trees: ensemble), on: features.selecting(rows: [])
    ) { _ in 1 }
    #expect(empty.values == [0, 0, 0, 0, 0, 0])
  }
}
