// The loss of next-token prediction and its gradient.

import CKernels

/// What a row of logits should have predicted.
public struct PredictionTarget: Sendable, Equatable {
  /// The row of logits.
  public var row: Int
  /// Tokens that are right; where there are several, each is wanted with the same probability.
  public var tokens: [Int32]
  /// The weight of this row's loss in the sum.
  public var weight: Float

  /// The tokens wanted at a row.
  public init(row: Int, tokens: [Int32], weight: Float = 1) {
    self.row = row
    self.tokens = tokens
    self.weight = weight
  }
}

/// What one row of logits was worth.
public struct PredictionOutcome: Sendable, Equatable {
  /// Cross-entropy in nats against the equally likely right tokens, before weighting.
  public var loss: Double
  /// Probability of all right tokens together.
  public var rightMass: Float
  /// The token with the largest logit; the smallest id of equals.
  public var best: Int32
  /// The row's weight.
  public var weight: Float
}

/// Turns logits, row by row, into the gradient of the weighted cross-entropy Σ weight · loss.
///
/// - Parameters:
///   - logits: `[rows, width]`; rows without a target become 0.
///   - targets: rows in ascending order, each at most once, with at least one token each.
/// - Returns: one outcome a target, in order.
public func crossEntropyBackward(
  _ logits: inout Tensor, rows: Int, width: Int, targets: [PredictionTarget]
) -> [PredictionOutcome] {
  precondition(rows * width <= logits.count, "\(rows) rows of \(width) in shape \(logits.shape)")
  let base = logits.mutablePointer()
  var next = 0
  var outcomes: [PredictionOutcome] = []
  outcomes.reserveCapacity(targets.count)
  for target in targets {
    precondition(
      target.row >= next && target.row < rows && !target.tokens.isEmpty
        && target.tokens.allSatisfy { $0 >= 0 && $0 < width },
      "target \(target) among \(rows) rows of \(width)")
    (base + next * width).update(repeating: 0, count: (target.row - next) * width)
    var mass: Float = 0
    var best: Int32 = 0
    let loss = target.tokens.withUnsafeBufferPointer { tokens in
      ck_cross_entropy_row(
        base + target.row * width, width, tokens.baseAddress, tokens.count, target.weight, &mass, &best)
    }
    outcomes.append(PredictionOutcome(loss: loss, rightMass: mass, best: best, weight: target.weight))
    next = target.row + 1
  }
  (base + next * width).update(repeating: 0, count: (rows - next) * width)
  return outcomes
}
