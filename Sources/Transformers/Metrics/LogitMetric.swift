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

/// What a prompt asks: where the answer comes, and which next tokens are right and wrong.
public struct Question: Sendable, Equatable {
  /// The position whose next token is the answer.
  public var position: Int
  /// Right answers.
  public var right: [Int]
  /// Wrong answers.
  public var wrong: [Int]

  /// A question.
  public init(position: Int, right: [Int], wrong: [Int]) {
    self.position = position
    self.right = right
    self.wrong = wrong
  }
}
