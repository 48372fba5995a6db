// What a head's output is replaced with when the head is ablated.

import Tensors
import Transformers

/// Where the values come from that stand in for an ablated head's.
public enum HeadReplacement: String, CaseIterable, Sendable {
  /// The head's mean over all negative prompts of the same length, position by position (Wang et al. 2022,
  /// section 2.2, take the mean over prompts in which no name repeats).
  case negatives
  /// The head's mean over all prompts of the same length, position by position.
  case prompts
  /// The head's value in the prompt's own negative, position by position.
  case pair
}

/// Every head's stand-in values for prompts of one length.
struct StandIns {
  /// Per layer `[prompt or 1, position, head, d_head]`.
  private let values: [Tensor]

  /// The values of one layer for a batch of `count` prompts `[count, position, head, d_head]`.
  func values(layer: Int, count: Int) -> Tensor {
    let value = values[layer]
    guard value.shape[0] == 1, count > 1 else { return value }
    let one = value.values
    return Tensor(
      shape: [count] + value.shape.dropFirst(),
      filledBy: { span in
        for index in span.indices { span[index] = one[index % one.count] }
      })
  }

  /// The values of given prompts, one for one.
  init(of prompts: [TokenizedPrompt], model: Transformer) throws {
    values = try Self.run(prompts.map(\.tokens), model)
  }

  /// The mean over prompts of one length.
  init(meanOf prompts: [TokenizedPrompt], model: Transformer, tokenLimit: Int) throws {
    let length = prompts[0].tokens.count
    let layers = model.configuration.layers
    let width = length * model.configuration.heads * model.configuration.dHead
    var sums = [[Double]](repeating: [Double](repeating: 0, count: width), count: layers)
    for group in TokenBatch.groups(of: prompts.map(\.tokens), tokenLimit: tokenLimit) {
      let values = try Self.run(group.indices.map { prompts[$0].tokens }, model)
      for layer in 0..<layers {
        values[layer].withValues { span in
          for index in span.indices { sums[layer][index % width] += Double(span[index]) }
        }
      }
    }
    let shape = [1, length, model.configuration.heads, model.configuration.dHead]
    values = sums.map { sum in Tensor(sum.map { Float($0 / Double(prompts.count)) }, shape: shape) }
  }

  private static func run(_ prompts: [[Int]], _ model: Transformer) throws -> [Tensor] {
    let points = (0..<model.configuration.layers).map { HookPoint.z(layer: $0) }
    let activations = try model.run(TokenBatch(prompts), reading: Set(points))
    return points.map { activations[$0] }
  }
}
