// Every probe, put to black boxes on a table whose rule is known.

import Tables
import Tensors
import TestSupport
import Testing
import Trees

@testable import TabularExplainer

@Suite struct ImportanceProbeTests {
  static func probe(_ kind: BlackBoxKind, rows: Int = 400) throws -> (ImportanceProbe, ExampleTable) {
    let example = ExampleTable(rows: rows, turnedLabels: 0, seed: 6)
    let table = Table(
      features: example.features, target: .classes(example.labels, names: example.classNames),
      targetName: example.targetName)
    let split = try table.split(holding: 0.25, seed: 6)
    let probed = try kind.probed(table, training: split.training, seed: 6)
    return (ImportanceProbe(probed, table, split: split, seed: 6), example)
  }

  @Test(arguments: [
    ImportanceMethod.shap, .impurity, .permutation, .occlusion, .samplingShap,
  ])
  func theRulesFeaturesComeFirst(method: ImportanceMethod) throws {
    let (probe, example) = try Self.probe(.boosted)
    let importance = try probe.importance(by: method)
    #expect(importance.names == example.features.names)
    #expect(Set(importance.top(3)) == Set(example.ruleFeatures), "\(method): \(importance.ranking)")
    for (value, interval) in zip(importance.values, importance.intervals ?? []) {
      #expect(interval.lowerBound - 1e-9 <= value && value <= interval.upperBound + 1e-9)
    }
    #expect((importance.intervals == nil) == (method == .impurity))
  }

  @Test(arguments: [ImportanceMethod.integratedGradients, .gradientInput, .attention])
  func networksAnswerGradientsAndAttention(method: ImportanceMethod) throws {
    let (probe, example) = try Self.probe(.convolutionalAttention, rows: 200)
    let importance = try probe.importance(by: method)
    #expect(importance.names == example.features.names)
    #expect(importance.values.allSatisfy { $0 >= 0 && $0.isFinite })
    #expect(importance.values.contains { $0 > 0 })
  }

  /// Attributions that say so add up to the prediction, or to its score.
  @Test(arguments: [ImportanceMethod.shap, .samplingShap])
  func contributionsOfARowAddUp(method: ImportanceMethod) throws {
    let (probe, _) = try Self.probe(.forest, rows: 150)
    let rows = Array(probe.split.held.prefix(4))
    let own = try probe.attributions(by: method, at: rows)
    let predictions = try probe.probed.blackBox.predict(probe.table.features.selecting(rows: rows))
    for (place, output) in own.outputs.enumerated() {
      let sum = own.values.row(place).values.reduce(own.baselines[place]) { $0 + Double($1) }
      #expect(abs(sum - own.predictions[place]) < 1e-4)
      #expect(abs(own.predictions[place] - Double(predictions[place, output])) < 1e-4)
    }
  }

  @Test func aProbeThatDoesNotFitIsRefused() throws {
    let (probe, _) = try Self.probe(.forest, rows: 100)
    for method in [ImportanceMethod.attention, .integratedGradients, .gradientInput] {
      #expect(throws: TabularExplainerError.cannotProbe(method: method.rawValue, model: "forest")) {
        try probe.importance(by: method)
      }
    }
    let (network, _) = try Self.probe(.perceptron, rows: 100)
    for method in [ImportanceMethod.attention, .shap, .impurity] {
      #expect(throws: TabularExplainerError.cannotProbe(method: method.rawValue, model: "mlp")) {
        try network.importance(by: method)
      }
    }
  }

  /// Rows taken few at a time give what all rows at once give.
  @Test func importanceByRowIsTheSizeOfShapValues() throws {
    let (probe, _) = try Self.probe(.boosted, rows: 120)
    let ensemble = try #require(probe.probed.ensemble)
    let rows = [5, 2, 40]
    let byRow = try ensemble.absoluteShapValues(probe.table.features, rows: rows)
    let shap = try ensemble.shapValues(probe.table.features.selecting(rows: rows))
    #expect(byRow.features == shap.features)
    for row in rows.indices {
      for place in shap.features.indices {
        let own = abs(shap.values[row * shap.features.count + place])
        #expect(abs(Double(byRow.rows[row][place]) - own) < 1e-5)
      }
    }
  }

  /// Columns that a model does not know get 0, those it knows keep their value, whatever their order.
  @Test func attributionsAreSpreadOverATable() {
    let own = RowAttributions(
      method: "m", names: ["b", "a"], outputs: [0, 1],
      values: Tensor([1, 2, 3, 4] as [Float], shape: [2, 2]))
    let spread = own.spread(over: ["a", "x", "b"])
    #expect(spread.values.values == [2, 0, 1, 4, 0, 3])
    #expect(spread.names == ["a", "x", "b"])
  }
}
