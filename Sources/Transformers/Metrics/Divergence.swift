// How far the next-token distribution has moved from that of another run.

import Tensors

/// Kullback–Leibler divergence of the model's answers from those of a reference run, in nats: Σ p·log(p/q), where p is
/// the reference's distribution and q the run's.
public struct Divergence: LogitMetric {
  /// The position that counts of each prompt.
  public var positions: [Int]
  /// Log-probabilities of the reference run `[prompt, vocabulary]`.
  public var reference: [[Double]]

  /// The divergence from logits of a reference run.
  /// - Parameter reference: `[prompt, vocabulary]` at the positions that count.
  public init(positions: [Int], referenceLogits reference: Tensor) {
    precondition(reference.rank == 2 && reference.shape[0] == positions.count, "logits \(reference.shape)")
    self.positions = positions
    self.reference = positions.indices.map { logSoftmax(reference.rows($0..<$0 + 1)) }
  }

  private init(positions: [Int], reference: [[Double]]) {
    self.positions = positions
    self.reference = reference
  }

  /// The position that the prompt's answer follows.
  public func positions(ofPrompt prompt: Int) -> [Int] { [positions[prompt]] }

  /// The metric of some of the prompts, in the given order.
  public func selecting(_ prompts: [Int]) -> Divergence {
    Divergence(positions: prompts.map { positions[$0] }, reference: prompts.map { reference[$0] })
  }

  /// The metric of a prompt, and its derivative; see `LogitMetric`.
  public func evaluate(prompt: Int, logits: Tensor, gradient: inout Tensor) -> Double {
    let (p, q) = (reference[prompt], logSoftmax(logits))
    var value = 0.0
    gradient.withMutableValues { slopes in
      for token in q.indices {
        let weight = exponential(p[token])
        value += weight * (p[token] - q[token])
        slopes[token] = Float(exponential(q[token]) - weight)
      }
    }
    return value
  }
}

/// log softmax of one row, in double precision.
public func logSoftmax(_ logits: Tensor) -> [Double] {
  let values = logits.values.map(Double.init)
  let highest = values.max() ?? 0
  let total = highest + logarithm(values.reduce(0) { $0 + exponential($1 - highest) })
  return values.map { $0 - total }
}

/// softmax of one row, in double precision.
func softmax(_ logits: Tensor) -> [Double] { logSoftmax(logits).map(exponential) }
