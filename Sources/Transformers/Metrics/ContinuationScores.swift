// How likely a model finds whole continuations of a prompt.

import Tensors

extension Transformer {
  /// The log-probability of each continuation of a prompt, in nats: the sum over its tokens, each after those before it.
  ///
  /// - Parameters:
  ///   - continuations: token ids; none is empty.
  ///   - prompt: token ids.
  /// - Throws: `TransformerError` where a prompt with its continuation is too long, or has unknown tokens.
  public func logProbabilities(of continuations: [[Int]], after prompt: [Int]) throws -> [Double] {
    guard !continuations.isEmpty else { return [] }
    let batch = TokenBatch(continuations.map { prompt + $0.dropLast() })
    let positions = continuations.map { Array(prompt.count - 1..<prompt.count - 1 + $0.count) }
    let logits = try logits(batch, at: positions)
    var row = 0
    return continuations.map { continuation in
      continuation.reduce(0) { sum, token in
        defer { row += 1 }
        return sum + logSoftmax(logits.rows(row..<row + 1))[token]
      }
    }
  }
}
