// A number made from a prompt's logits: what runs are asked about.

import Tensors

/// A metric of the prompts of one batch.
public protocol LogitMetric: Sendable {
  /// The positions of a prompt whose logits the metric reads, ascending.
  func positions(ofPrompt prompt: Int) -> [Int]

  /// The metric of a prompt, and its derivative.
  ///
  /// - Parameters:
  ///   - logits: `[positions, vocabulary]`.
  ///   - gradient: zeros of the same shape, to which the derivative is written.
  func evaluate(prompt: Int, logits: Tensor, gradient: inout Tensor) -> Double

  /// The metric of some of the prompts, in the given order.
  func selecting(_ prompts: [Int]) -> Self
}
