// Networks learn what generated tables hold, the same bytes for the same seed.

import NeuralNetworks
import Foundation
import Tables
import Tensors
import Testing

@testable import TabularExplainer

@Suite struct NetworkBlackBoxTests {
  /// Class 1 where x₀ + x₁ > 0, with `noise` features more, one of them categorical, and some missing cells.
  static func table(rows: Int, noise: Int, seed: UInt64) -> (Features, Target) {
    var generator = SeededGenerator(seed: seed)
    var columns = (0..<2 + noise).map { _ in (0..<rows).map { _ in Float(generator.normal()) } }
    let labels = (0..<rows).map { columns[0][$0] + columns[1][$0] > 0 ? 1 : 0 }
    for row in stride(from: 0, to: rows, by: 10) { columns[2][row] = .nan }
    columns[3] = columns[3].map { $0 > 0 ? 1 : 0 }
    var kinds = [FeatureKind](repeating: .numeric, count: 2 + noise)
    kinds[3] = .categorical(["no", "yes"])
    let features = Features(
      names: (0..<2 + noise).map { "x\($0)" }, kinds: kinds, rowCount: rows, values: columns.flatMap { $0 })
    return (features, .classes(labels, names: ["low", "high"]))
  }

  static func accuracy(_ network: NetworkBlackBox, _ features: Features, _ target: Target) throws -> Double {
    guard case .classes(let labels, _) = target else { return 0 }
    let predictions = try network.predict(features)
    let right = labels.indices.count { row in
      let values = predictions.row(row).values
      return values.indices.max { values[$0] < values[$1] } == labels[row]
    }
    return Double(right) / Double(labels.count)
  }

  static let architectures: [NetworkArchitecture] = [
    .perceptron(.init(hidden: [16])), .perceptron(.init(hidden: [16, 8], activation: .selu, dropout: 0)),
    .convolutionalAttention(.init()),
  ]

  @Test(arguments: architectures)
  func learnsASum(_ architecture: NetworkArchitecture) throws {
    let (features, target) = Self.table(rows: 600, noise: 10, seed: 1)
    let (fresh, freshTarget) = Self.table(rows: 400, noise: 10, seed: 2)
    let network = try NetworkBlackBox(fitting: features, target, architecture, seed: 3)
    #expect(try Self.accuracy(network, fresh, freshTarget) > 0.9)
    let probabilities = try network.predict(fresh)
    for row in 0..<20 { #expect(abs(probabilities.row(row).values.reduce(0, +) - 1) < 1e-5) }
  }

  @Test(arguments: architectures)
  func sameSeedSamePredictions(_ architecture: NetworkArchitecture) throws {
    let (features, target) = Self.table(rows: 60, noise: 4, seed: 4)
    var training = architecture.usualTraining(rows: 60)
    training.epochs = 3
    func fit(_ seed: UInt64) throws -> Tensor {
      try NetworkBlackBox(fitting: features, target, architecture, training: training, seed: seed)
        .predict(features)
    }
    #expect(try fit(5) == fit(5))
    #expect(try fit(5) != fit(6))
  }

  @Test func regression() throws {
    let (features, _) = Self.table(rows: 500, noise: 4, seed: 7)
    let values = (0..<500).map { 100 + 20 * features[$0, 0] - 10 * features[$0, 1] }
    let network = try NetworkBlackBox(
      fitting: features, .values(values), .perceptron(.init(dropout: 0)), seed: 8)
    let predictions = try network.predict(features).values
    let errors = zip(predictions, values).map { ($0 - $1) * ($0 - $1) }.reduce(0, +) / 500
    // The variance is 500.
    #expect(errors < 25)
  }

  @Test func aRareClassCountsMoreWhenClassesAreBalanced() throws {
    // At x = 1, every tenth row is of class 1: balanced, that is as good as even.
    let features = Features(
      names: ["x"], kinds: [.numeric], rowCount: 400, values: (0..<400).map { $0 % 2 == 0 ? 1 : 0 })
    let target = Target.classes((0..<400).map { $0 % 20 == 0 ? 1 : 0 }, names: ["common", "rare"])
    let one = Features(names: ["x"], kinds: [.numeric], rowCount: 1, values: [1])
    func share(_ weights: NetworkTraining.ClassWeights) throws -> Float {
      let training = NetworkTraining(
        epochs: 60, batchSize: 32, optimizer: AdamW(learningRate: 1e-2), classWeights: weights)
      let network = try NetworkBlackBox(
        fitting: features, target, .perceptron(.init(hidden: [4], dropout: 0)), training: training, seed: 1)
      return try network.predict(one)[0, 1]
    }
    #expect(try share(.balanced) > share(.uniform) + 0.3)
  }

  @Test func emptyTablesAreRefused() {
    let none = Features(names: ["x"], kinds: [.numeric], rowCount: 0, values: [])
    #expect(throws: TabularExplainerError.nothingToLearn(rows: 0, features: 1)) {
      try NetworkBlackBox(
        fitting: none, .classes([], names: ["a", "b"]), .perceptron(.init()), seed: 1)
    }
  }

  @Test func oneRowOneClassAndConstantColumnsTrain() throws {
    let one = Features(names: ["x", "y"], kinds: [.numeric, .numeric], rowCount: 1, values: [3, .nan])
    for architecture in Self.architectures {
      let network = try NetworkBlackBox(
        fitting: one, .classes([0], names: ["only"]), architecture, seed: 1)
      #expect(try network.predict(one).values == [1])
    }
  }
}

@Suite struct DesignEncoderTests {
  static let features = Features(
    names: ["a", "c"], kinds: [.numeric, .categorical(["p", "q"])], rowCount: 4,
    values: [1, 3, .nan, 5, 0, 1, 1, .nan])

  @Test func columnsAreCentredImputedAndOneHot() throws {
    let encoder = DesignEncoder(fitting: Self.features)
    #expect(encoder.columns == [0..<2, 2..<4])
    let design = try encoder.encode(Self.features)
    let deviation = Float((8.0 / 3).squareRoot())
    let expected: [[Float]] = [
      [-2 / deviation, -0.25, 1 - 1.0 / 3, -2.0 / 3], [0, -0.25, -1.0 / 3, 1.0 / 3],
      [0, 0.75, -1.0 / 3, 1.0 / 3], [2 / deviation, -0.25, 0, 0],
    ]
    for row in 0..<4 {
      for column in 0..<4 { #expect(abs(design[row, column] - expected[row][column]) < 1e-6) }
    }
    #expect(encoder.featureSums(design).shape == [4, 2])
  }

  @Test func unknownCategoriesAreTheAverage() throws {
    let encoder = DesignEncoder(fitting: Self.features)
    let other = Features(
      names: ["c", "a"], kinds: [.categorical(["new", "q"]), .numeric], rowCount: 2, values: [0, 1, 3, 1e30])
    let design = try encoder.encode(other)
    #expect(design[0, 2] == 0 && design[0, 3] == 0)
    #expect(abs(design[1, 3] - 1.0 / 3) < 1e-6)
    #expect(design[1, 0] == 30)
  }

  @Test func layoutIsAPermutationAndComesBack() {
    let design = NetworkGradientTests.random([5, 70], seed: 1)
    let layout = SquareLayout(of: design, seed: 2)
    #expect(layout.side == 16)
    #expect(layout.columnAtPixel.filter { $0 >= 0 }.sorted() == Array(0..<70))
    #expect(layout.columns(layout.image(design, filler: 0.5)) == design)
  }
}
