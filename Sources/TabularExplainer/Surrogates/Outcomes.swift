// Outputs as outcomes: the class that is predicted, or, for a quantity, the band it lies in.

import Tables
import Tensors

/// What a prediction is called when rules and counterfactuals speak of it.
public enum Outcomes: Sendable, Equatable, Codable {
  /// The most probable class.
  case classes([String])
  /// The band of a quantity: at most the first bound, between both, above the second.
  case bands(name: String, low: Float, high: Float)

  /// Classes where the black box has several outputs, else thirds of its predictions on the training rows.
  public init(outputNames: [String], trainingOutputs: Tensor) {
    if outputNames.count > 1 {
      self = .classes(outputNames)
      return
    }
    let sorted = trainingOutputs.values.sorted()
    let low = sorted.isEmpty ? 0 : sorted[(sorted.count - 1) / 3]
    let high = sorted.isEmpty ? 0 : sorted[(sorted.count - 1) * 2 / 3]
    let above = sorted.first { $0 > low } ?? low
    let aboveHigh = sorted.first { $0 > high } ?? high
    self = .bands(
      name: outputNames.first ?? "prediction",
      low: low < above ? shortestNumber(from: low, below: above) : low,
      high: high < aboveHigh ? shortestNumber(from: high, below: aboveHigh) : high)
  }

  /// The number of outcomes.
  public var count: Int {
    switch self {
    case .classes(let names): names.count
    case .bands: 3
    }
  }

  /// The outcome's name: a class, or `price ≤ 9000`.
  public func name(_ outcome: Int) -> String {
    switch self {
    case .classes(let names): return names[outcome]
    case .bands(let name, let low, let high):
      switch outcome {
      case 0: return "\(name) ≤ \(low.shortText)"
      case 1: return "\(low.shortText) < \(name) ≤ \(high.shortText)"
      default: return "\(name) > \(high.shortText)"
      }
    }
  }

  /// The outcome of every row of outputs `[rows, outputs]`.
  public func outcomes(_ outputs: Tensor) -> [Int] {
    switch self {
    case .classes: return mostProbableClasses(outputs)
    case .bands(_, let low, let high):
      return outputs.values.map { $0 <= low ? 0 : $0 <= high ? 1 : 2 }
    }
  }

  /// The outcome of one row's outputs.
  public func outcome(_ output: [Double]) -> Int {
    switch self {
    case .classes:
      var best = 0
      for index in output.indices where output[index] > output[best] { best = index }
      return best
    case .bands(_, let low, let high):
      return output[0] <= Double(low) ? 0 : output[0] <= Double(high) ? 1 : 2
    }
  }
}
