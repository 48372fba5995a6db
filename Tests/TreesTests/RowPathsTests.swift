// Rows with a few other cells answer as the whole model does on the changed rows.

import Tables
import Tensors
import Testing

@testable import Trees

@Suite struct RowPathsTests {
  /// 70 features, so that some share a bit: numbers with missing cells, and one category in ten.
  static func table(_ rows: Int, seed: UInt64) -> (features: Features, labels: [Int]) {
    var generator = SeededGenerator(seed: seed)
    let names = (0..<5).map { "c\($0)" }
    let kinds: [FeatureKind] = (0..<70).map { $0 % 10 == 3 ? .categorical(names) : .numeric }
    var values: [Float] = []
    for kind in kinds {
      for _ in 0..<rows {
        if generator.index(below: 10) == 0 {
          values.append(.nan)
        } else if kind == .numeric {
          values.append(Float(generator.normal()))
        } else {
          values.append(Float(generator.index(below: 5)))
        }
      }
    }
    let features = Features(
      names: kinds.indices.map { "x\($0)" }, kinds: kinds, rowCount: rows, values: values)
    let labels = (0..<rows).map { row in
      let sum = [0, 13, 64].reduce(0.0) { $0 + (features[row, $1].isNaN ? 0 : Double(features[row, $1])) }
      return sum > 2 ? 2 : sum > 0 ? 1 : 0
    }
    return (features, labels)
  }

  static func changed(_ features: Features, _ row: Int, _ cells: [RowPaths.Cell]) -> Features {
    var values = features.row(row)
    for cell in cells { values[cell.feature] = cell.value }
    return features.replacing(rowCount: 1, values: values)
  }

  @Test(arguments: ["forest", "boosted"], [1, 2] as [UInt64])
  func changedRowsAnswerAsTheModelDoes(kind: String, seed: UInt64) throws {
    let (features, labels) = Self.table(200, seed: seed)
    let target = Target.classes(labels, names: ["a", "b", "c"])
    var boosting = BoostingOptions()
    boosting.rounds = 15
    let ensemble =
      kind == "forest"
      ? try TreeEnsemble.forest(features, target: target, targetName: "y", options: .randomForest).ensemble
      : try TreeEnsemble.boosted(features, target: target, targetName: "y", options: boosting)
    let rows = [7, 3, 150, 3]
    let paths = try RowPaths(ensemble, features.selecting(rows: rows))
    var generator = SeededGenerator(seed: seed, stream: "changes")
    func cell(_ feature: Int? = nil) -> RowPaths.Cell {
      let feature = feature ?? generator.index(below: 70)
      // Categories of no name too.
      let value =
        generator.index(below: 6) == 0
        ? Float.nan
        : features.kinds[feature] == .numeric
          ? Float(generator.normal()) : Float(generator.index(below: 7))
      return RowPaths.Cell(feature: feature, value: value)
    }
    for (place, row) in rows.enumerated() {
      let shared = cell(5)
      let single = (0..<40).map { _ in [cell(generator.index(below: 2) == 0 ? 64 : nil)] }
      let several = (0..<20).map { _ in (0..<3).map { cell(20 * $0 + generator.index(below: 20)) } }
      for copies in [
        single, several, single + several + [[]], single.map { [shared] + $0.filter { $0.feature != 5 } },
        [[shared]], [[shared], [shared]], [[]], [],
      ] {
        let found = paths.predictions(row: place, changing: copies)
        #expect(found.shape == [copies.count, 3])
        for (copy, cells) in copies.enumerated() {
          let whole = try ensemble.predict(Self.changed(features, row, cells))
          #expect(found.row(copy).values == whole.values, "row \(row), \(cells)")
        }
      }
    }
  }
}
