// Sequences of different lengths side by side, without padding.

import Tensors

/// A sequence with what is to be predicted in it.
public struct TrainingExample: Sendable, Equatable {
  /// Token ids.
  public var tokens: [Int]
  /// Wanted tokens; a target's row is the position after which they come. In ascending order.
  public var targets: [PredictionTarget]

  /// A sequence with its targets.
  public init(tokens: [Int], targets: [PredictionTarget]) {
    self.tokens = tokens
    self.targets = targets
  }

  /// A sequence in which every next token is to be predicted.
  public init(predictingEveryTokenOf tokens: [Int], weight: Float = 1) {
    self.tokens = tokens
    targets = tokens.indices.dropLast().map {
      PredictionTarget(row: $0, tokens: [Int32(tokens[$0 + 1])], weight: weight)
    }
  }
}

/// Sequences packed into the rows of one matrix.
public struct PackedBatch: Sendable, Equatable {
  /// The token of each row.
  public private(set) var tokens: [Int32] = []
  /// The rows of each sequence.
  public let layout: SequenceLayout
  /// What is to be predicted, by row.
  public private(set) var targets: [PredictionTarget] = []

  /// The examples, one after another; targets' weights are multiplied by `weightScale`.
  public init(_ examples: some Collection<TrainingExample>, weightScale: Float = 1) {
    layout = SequenceLayout(lengths: examples.map(\.tokens.count))
    for example in examples {
      let start = tokens.count
      tokens += example.tokens.map { Int32(clamping: $0) }
      targets += example.targets.map {
        PredictionTarget(row: start + $0.row, tokens: $0.tokens, weight: $0.weight * weightScale)
      }
    }
  }

  /// The number of rows.
  public var rows: Int { tokens.count }
}
