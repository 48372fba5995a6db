// Probes of networks: they add up, they agree with closed forms, and they find the features that a table's rule names.

import NeuralNetworks
import Checkpoints
import Foundation
import Tables
import Tensors
import TestSupport
import Testing

@testable import TabularExplainer

@Suite struct NetworkProbeTests {
  static func network(_ architecture: NetworkArchitecture, noise: Int = 12) throws -> (
    NetworkBlackBox, Features
  ) {
    let (features, target) = NetworkBlackBoxTests.table(rows: 400, noise: noise, seed: 31)
    var training = architecture.usualTraining(rows: 400)
    training.epochs = 25
    return (
      try NetworkBlackBox(fitting: features, target, architecture, training: training, seed: 32), features
    )
  }

  @Test(arguments: NetworkBlackBoxTests.architectures)
  func integratedGradientsAddUp(_ architecture: NetworkArchitecture) throws {
    let (network, features) = try Self.network(architecture)
    let some = features.selecting(rows: Array(0..<40))
    let attributions = try network.integratedGradients(some, steps: 128)
    let predictions = try network.predict(some)
    for row in 0..<40 {
      let sum = attributions.values.row(row).values.reduce(0.0) { $0 + Double($1) }
      let output = attributions.outputs[row]
      #expect(abs(attributions.predictions[row] - Double(predictions[row, output])) < 1e-6)
      #expect(abs(attributions.baselines[row] + sum - attributions.predictions[row]) < 0.02, "row \(row)")
    }
  }

  @Test(arguments: NetworkBlackBoxTests.architectures)
  func gradientProbesFindTheRule(_ architecture: NetworkArchitecture) throws {
    let (network, features) = try Self.network(architecture)
    #expect(Set(try network.integratedGradients(features, steps: 8).meanMagnitude.top(2)) == [0, 1])
    #expect(Set(try network.gradientTimesInput(features).meanMagnitude.top(2)) == [0, 1])
  }

  /// Without hidden layers a prediction's logit is linear, and its gradient times input is the weight times the cell.
  @Test func gradientTimesInputOfALinearModel() throws {
    let features = Features(
      names: ["a", "b"], kinds: [.numeric, .numeric], rowCount: 4, values: [1, 2, 3, 4, 4, 1, 0, 3])
    let training = NetworkTraining(epochs: 5, batchSize: 4, optimizer: AdamW(learningRate: 0.05))
    let network = try NetworkBlackBox(
      fitting: features, .values([1, 3, 2, 5]), .perceptron(.init(hidden: [], dropout: 0)),
      training: training,
      seed: 1)
    let attributions = try network.gradientTimesInput(features)
    let predictions = try network.predict(features).values
    let origin = network.predictions(network.network.logits(Tensor(zeros: [1, 2]))).values[0]
    for row in 0..<4 {
      let sum = attributions.values.row(row).values.reduce(0, +)
      #expect(abs(origin + sum - predictions[row]) < 1e-4)
    }
  }

  @Test func attentionIsAShareOfInputFeatures() throws {
    let (network, features) = try Self.network(.convolutionalAttention(.init()))
    let local = try #require(try network.attention(features.selecting(rows: Array(0..<25))))
    #expect(local.values.shape == [25, 14])
    for row in 0..<25 {
      let values = local.values.row(row).values
      #expect(abs(values.reduce(0, +) - 1) < 1e-4)
      #expect(values.allSatisfy { $0 >= 0 })
    }
    let global = try #require(network.globalAttention)
    #expect(global.values.allSatisfy { $0 > 0 })
    #expect(global.values.reduce(0, +) < 1)
    let (perceptron, _) = try Self.network(.perceptron(.init(hidden: [4])))
    #expect(try perceptron.attention(features) == nil)
    #expect(perceptron.globalAttention == nil)
  }

  @Test(arguments: NetworkBlackBoxTests.architectures)
  func aFileKeepsTheNetwork(_ architecture: NetworkArchitecture) throws {
    let (network, features) = try Self.network(architecture, noise: 3)
    try withTemporaryFolder { folder in
      let path = folder + "/network.safetensors"
      try network.write(to: path)
      let read = try NetworkBlackBox(path: path)
      #expect(try read.predict(features) == network.predict(features))
      #expect(read.outputNames == ["low", "high"])
      #expect(read.seed == 32)
      try network.write(to: folder + "/again.safetensors")
      #expect(
        try Data(contentsOf: URL(fileURLWithPath: path))
          == Data(contentsOf: URL(fileURLWithPath: folder + "/again.safetensors")))
      let model = try ImportedModel(path: path)
      #expect(model.format == .headlamp)
      #expect(try model.blackBox.predict(features) == network.predict(features))
    }
  }

  @Test func aForeignSafetensorsFileIsNoNetwork() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/other.safetensors"
      try writeSafetensors(["a": .float(Tensor(zeros: [2]))], to: path)
      #expect(throws: ModelFileError.self) { try NetworkBlackBox(path: path) }
    }
  }

  @Test func rankingsPutTheLargestFirst() {
    let importance = FeatureImportance(method: "m", names: ["a", "b", "c", "d"], values: [1, 3, 3, 0])
    #expect(importance.ranking == [1, 2, 0, 3])
    #expect(importance.top(2) == [1, 2])
    #expect(importance.bottom(2) == [3, 0])
  }
}
