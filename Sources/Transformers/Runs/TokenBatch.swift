// Prompts that run together.

import Tensors

/// Token ids of several prompts, padded on the right to the longest.
public struct TokenBatch: Sendable, Equatable {
  /// The id at every place, row-major `[prompt, position]`; 0 past a prompt's end.
  public let ids: [Int32]
  /// Number of tokens of each prompt.
  public let lengths: [Int]
  /// The longest prompt's length.
  public let width: Int

  /// Number of prompts.
  public var count: Int { lengths.count }

  /// A batch of prompts given as token ids.
  public init(_ prompts: [[Int]]) {
    let width = prompts.map(\.count).max() ?? 0
    lengths = prompts.map(\.count)
    self.width = width
    ids = prompts.flatMap { prompt in
      prompt.map { Int32(clamping: $0) } + [Int32](repeating: 0, count: width - prompt.count)
    }
  }

  /// One prompt's ids, without padding.
  public func prompt(_ index: Int) -> [Int] {
    (0..<lengths[index]).map { Int(ids[index * width + $0]) }
  }

  /// Refuses empty prompts, prompts longer than the context, and ids outside the vocabulary.
  func check(_ configuration: TransformerConfiguration) throws(TransformerError) {
    for (prompt, length) in lengths.enumerated() {
      if length == 0 { throw .emptyPrompt(prompt: prompt) }
      if length > configuration.context {
        throw .promptTooLong(prompt: prompt, length: length, context: configuration.context)
      }
      for position in 0..<length {
        let id = Int(ids[prompt * width + position])
        if id < 0 || id >= configuration.vocabulary {
          throw .tokenOutOfRange(
            prompt: prompt, position: position, id: id, vocabulary: configuration.vocabulary)
        }
      }
    }
  }
}

extension TokenBatch {
  /// Some of a list of prompts, with their places in it.
  public struct Group: Sendable, Equatable {
    /// Where each prompt of the batch stands in the list.
    public var indices: [Int]
    /// The prompts.
    public var batch: TokenBatch
  }

  /// Sorts prompts into batches of like lengths of at most about `tokenLimit` tokens each, shortest first.
  ///
  /// Prompts keep their order among those of the same length. A single prompt may exceed the limit.
  public static func groups(of prompts: [[Int]], tokenLimit: Int) -> [Group] {
    let order = prompts.indices.sorted { (prompts[$0].count, $0) < (prompts[$1].count, $1) }
    var groups: [[Int]] = []
    for index in order {
      // Sorted by length: the prompt at hand is the longest of its group.
      if let last = groups.last, (last.count + 1) * prompts[index].count <= tokenLimit {
        groups[groups.count - 1].append(index)
      } else {
        groups.append([index])
      }
    }
    return groups.map { indices in Group(indices: indices, batch: TokenBatch(indices.map { prompts[$0] })) }
  }
}
