// How a network learns: mini-batches, AdamW with a falling step, and early stopping on held-out rows.

import NeuralNetworks
import FoundationEssentials
import Tables
import Tensors

#if canImport(Glibc)
  import Glibc
#endif

/// The settings of a network's training.
public struct NetworkTraining: Sendable, Equatable, Codable {
  /// How many times every row is seen, at most.
  public var epochs: Int
  /// Rows a step.
  public var batchSize: Int
  /// The optimiser; its step falls linearly to a tenth over the epochs.
  public var optimizer: AdamW
  /// The share of rows that training does not see and that decides when to stop; 0 to train for all epochs.
  public var heldOutShare: Double
  /// How many epochs without improvement on the held-out rows end the training.
  public var patience: Int
  /// How much a row of each class counts.
  public var classWeights: ClassWeights

  /// How much a row of each class counts in the loss.
  public enum ClassWeights: String, Sendable, Codable {
    /// All rows count the same.
    case uniform
    /// All classes count the same.
    case balanced
  }

  /// Settings; `heldOutShare` 0 switches early stopping off.
  public init(
    epochs: Int, batchSize: Int, optimizer: AdamW, heldOutShare: Double = 0, patience: Int = 10,
    classWeights: ClassWeights = .uniform
  ) {
    self.epochs = epochs
    self.batchSize = batchSize
    self.optimizer = optimizer
    self.heldOutShare = heldOutShare
    self.patience = patience
    self.classWeights = classWeights
  }
}

/// What a network is trained towards.
enum NetworkLoss: Sendable {
  /// Cross-entropy of softmax; a class and a weight a row.
  case classes([Int], weights: [Double])
  /// Half the squared error; a standardised quantity a row.
  case quantities([Float])

  /// The mean loss over `rows` and its gradient with respect to their logits `[rows, outputs]`.
  func callAsFunction(_ logits: Tensor, rows: [Int]) -> (value: Double, gradient: Tensor) {
    switch self {
    case .classes(let labels, let weights):
      let probabilities = logits.softmaxOfRows()
      let width = logits.shape[1]
      let total = max(1e-12, rows.reduce(0) { $0 + weights[$1] })
      var gradient = probabilities.values
      var value = 0.0
      for (index, row) in rows.enumerated() {
        let weight = weights[row] / total
        value -= weight * log(max(1e-12, Double(gradient[index * width + labels[row]])))
        gradient[index * width + labels[row]] -= 1
        for output in 0..<width { gradient[index * width + output] *= Float(weight) }
      }
      return (value, Tensor(gradient, shape: logits.shape))
    case .quantities(let values):
      let errors = zip(logits.values, rows).map { $0 - values[$1] }
      let value = errors.reduce(0.0) { $0 + 0.5 * Double($1) * Double($1) } / Double(max(1, rows.count))
      return (value, Tensor(errors.map { $0 / Float(max(1, rows.count)) }, shape: logits.shape))
    }
  }

  /// Rows in a seeded order, those of one class spread evenly, so that any prefix is a stratified sample.
  func stratifiedOrder(count: Int, using generator: inout SeededGenerator) -> [Int] {
    let shuffled = generator.permutation(of: count)
    guard case .classes(let labels, _) = self else { return shuffled }
    var seen: [Int: Int] = [:]
    let sizes = labels.reduce(into: [Int: Int]()) { $0[$1, default: 0] += 1 }
    let places = shuffled.map { row in
      let place = seen[labels[row], default: 0]
      seen[labels[row]] = place + 1
      return (Double(place) + 0.5) / Double(sizes[labels[row]] ?? 1)
    }
    return shuffled.indices.sorted { (places[$0], $0) < (places[$1], $1) }.map { shuffled[$0] }
  }
}

extension DifferentiableNetwork {
  /// Trains on all rows of `design` but the held-out ones, and keeps the weights that served those best.
  /// - Returns: the mean training loss of every epoch.
  @discardableResult
  mutating func train(
    on design: Tensor, _ loss: NetworkLoss, _ training: NetworkTraining, seed: UInt64
  ) -> [Double] {
    var generator = SeededGenerator(seed: seed, stream: "network training")
    let order = loss.stratifiedOrder(count: design.shape[0], using: &generator)
    let heldOutCount = Int(Double(order.count) * training.heldOutShare)
    let heldOut = Array(order.prefix(heldOutCount))
    let rows = Array(order.dropFirst(heldOutCount))
    let heldOutDesign = design.gatheringRows(heldOut)
    var states = parameters.map { AdamWState(shape: $0.shape) }
    var best: (loss: Double, epoch: Int, network: Self) = (.infinity, 0, self)
    var history: [Double] = []
    let steps = Double(max(1, training.epochs))
    for epoch in 0..<training.epochs {
      var settings = training.optimizer
      settings.learningRate *= Float(1 - 0.9 * Double(epoch) / steps)
      let epochLoss = trainEpoch(
        design, rows: generator.permutation(of: rows.count).map { rows[$0] }, loss, settings,
        batchSize: max(1, training.batchSize), states: &states, using: &generator)
      history.append(epochLoss)
      guard !heldOut.isEmpty else { continue }
      let heldOutLoss = loss(logitsInBatches(heldOutDesign), rows: heldOut).value
      if heldOutLoss < best.loss { best = (heldOutLoss, epoch, self) }
      if epoch - best.epoch >= training.patience { break }
    }
    if best.loss.isFinite { self = best.network }
    return history
  }

  private mutating func trainEpoch(
    _ design: Tensor, rows: [Int], _ loss: NetworkLoss, _ settings: AdamW, batchSize: Int,
    states: inout [AdamWState], using generator: inout SeededGenerator
  ) -> Double {
    var total = 0.0
    // Batches of equal size: a last batch of one row would have no variance to normalise by.
    let batches = max(1, (rows.count + batchSize / 2) / batchSize)
    for batch in 0..<batches {
      let chosen = Array(rows[rows.count * batch / batches..<rows.count * (batch + 1) / batches])
      let (value, gradients) = trainingPass(design.gatheringRows(chosen), seed: generator.next()) {
        loss($0, rows: chosen)
      }
      total += value * Double(chosen.count)
      var index = 0
      visitParameters { parameter in
        states[index].step(&parameter, against: gradients[index], settings)
        index += 1
      }
    }
    return total / Double(max(1, rows.count))
  }

  /// Logits of many rows without holding every row's activations at once.
  func logitsInBatches(_ design: Tensor) -> Tensor {
    let batch = 64
    guard design.shape[0] > batch else { return logits(design) }
    var values: [Float] = []
    var outputs = 0
    for start in stride(from: 0, to: design.shape[0], by: batch) {
      let part = logits(design.rows(start..<min(start + batch, design.shape[0])))
      outputs = part.shape[1]
      values += part.values
    }
    return Tensor(values, shape: [design.shape[0], outputs])
  }
}
