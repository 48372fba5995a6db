// Measures against scikit-learn and scipy: Golden/measures.json, written by Golden/measures.py.

import Foundation
import TabularExplainer
import Tensors
import TestSupport
import Testing

private struct Golden: Decodable {
  struct Classification: Decodable {
    var labels: [Int]
    var probabilities: [Float]
    var classes: Int
    var expected: [Double]
  }
  struct Fidelity: Decodable {
    var blackBox: [Float]
    var surrogate: [Float]
    var classes: Int
    var expected: [Double]
  }
  struct Regression: Decodable {
    var truth: [Float]
    var predicted: [Float]
    var expected: [Double]
  }
  var classification: [Classification]
  var fidelity: [Fidelity]
  var regression: Regression
  var clopperPearson: [[Double]]
  var incompleteBeta: [[Double]]

  static func load() throws -> Golden {
    let path = packageFolder + "/Tests/TabularExplainerTests/Golden/measures.json"
    return try JSONDecoder().decode(Golden.self, from: Data(contentsOf: URL(fileURLWithPath: path)))
  }
}

@Suite struct MeasuresTests {
  @Test func classificationEqualsScikitLearn() throws {
    for example in try Golden.load().classification {
      let probabilities = Tensor(
        example.probabilities, shape: [example.labels.count, example.classes])
      let scorer = ClassificationScorer(labels: example.labels, probabilities: probabilities)
      for (index, value) in scorer.measures().values.enumerated() {
        #expect(
          abs(value - example.expected[index]) < 1e-6,
          "\(ClassificationMeasures.names[index]) of \(example.classes) classes")
      }
    }
  }

  @Test func fidelityEqualsScikitLearn() throws {
    for example in try Golden.load().fidelity {
      let shape = [example.blackBox.count / example.classes, example.classes]
      let measures = FidelityScorer(
        blackBox: Tensor(example.blackBox, shape: shape), surrogate: Tensor(example.surrogate, shape: shape)
      ).measures()
      for (index, value) in measures.values.enumerated() {
        #expect(abs(value - example.expected[index]) < 1e-6, "\(FidelityMeasures.names[index])")
      }
    }
  }

  @Test func regressionEqualsScikitLearn() throws {
    let example = try Golden.load().regression
    let measures = RegressionMeasures(truth: example.truth, predicted: example.predicted)
    for (value, expected) in zip(measures.values, example.expected) { #expect(abs(value - expected) < 1e-6) }
  }

  @Test func clopperPearsonEqualsScipy() throws {
    for row in try Golden.load().clopperPearson {
      let bounds = clopperPearson(successes: Int(row[0]), trials: Int(row[1]), level: row[2])
      #expect(abs(bounds.low - row[3]) < 1e-10, "lower bound of \(row)")
      #expect(abs(bounds.high - row[4]) < 1e-10, "upper bound of \(row)")
    }
  }

  @Test func incompleteBetaEqualsScipy() throws {
    for row in try Golden.load().incompleteBeta {
      #expect(abs(regularizedIncompleteBeta(row[0], row[1], row[2]) - row[3]) < 1e-11, "\(row)")
      #expect(abs(inverseRegularizedIncompleteBeta(row[3], row[1], row[2]) - row[0]) < 1e-9, "\(row)")
    }
  }

  @Test func weightsActLikeRepeatedRows() throws {
    let example = try Golden.load().classification[1]
    let (rows, classes) = (example.labels.count, example.classes)
    let weights = BootstrapDraws(rows: rows, seed: 3).weights(0)
    let repeated = (0..<rows).flatMap { [Int](repeating: $0, count: Int(weights[$0])) }
    let weighted = ClassificationScorer(
      labels: example.labels, probabilities: Tensor(example.probabilities, shape: [rows, classes])
    ).measures(weights: weights)
    let explicit = ClassificationScorer(
      labels: repeated.map { example.labels[$0] },
      probabilities: Tensor(
        repeated.flatMap { example.probabilities[$0 * classes..<($0 + 1) * classes] },
        shape: [repeated.count, classes])
    ).measures()
    for (a, b) in zip(weighted.values, explicit.values) { #expect(abs(a - b) < 1e-12) }
  }

  @Test func anIntervalHoldsItsEstimate() throws {
    let example = try Golden.load().classification[0]
    let scorer = ClassificationScorer(
      labels: example.labels, probabilities: Tensor(example.probabilities, shape: [example.labels.count, 2]))
    let draws = BootstrapDraws(rows: example.labels.count, seed: 1)
    let estimates = scorer.estimates(draws: draws)
    #expect(estimates == scorer.estimates(draws: draws))
    for estimate in estimates {
      #expect(estimate.interval.low < estimate.value && estimate.value < estimate.interval.high)
    }
  }
}
