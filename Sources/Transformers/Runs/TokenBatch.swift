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
  /// The number of tokens of each continuation at each prompt's end; none for prompts that go on in one way.
  public let continuations: [[Int]]

  /// Number of prompts.
  public var count: Int { lengths.count }

  /// A batch of prompts given as token ids.
  public init(_ prompts: [[Int]]) {
    self.init(prompts, continuedBy: prompts.map { _ in [] })
  }

  /// A batch of prompts each of which goes on in several ways at once.
  ///
  /// The continuations stand one after the other behind the prompt's own tokens. Each sees the prompt and itself, and
  /// has the positions that it would have alone; so each has the values of a run of its own, and a change at a prompt's
  /// token is one for all of them. Where angles depend on a prompt's length (longrope), the longest continuation decides.
  /// - Parameter continuations: token ids, for each prompt; none is empty.
  public init(_ prompts: [[Int]], continuedBy continuations: [[[Int]]]) {
    precondition(continuations.count == prompts.count, "\(continuations.count) lists of continuations")
    let rows = zip(prompts, continuations).map { $0 + $1.flatMap { $0 } }
    let width = rows.map(\.count).max() ?? 0
    lengths = rows.map(\.count)
    self.width = width
    self.continuations = continuations.map { $0.map(\.count) }
    ids = rows.flatMap { row in
      row.map { Int32(clamping: $0) } + [Int32](repeating: 0, count: width - row.count)
    }
  }

  private init(_ batch: TokenBatch, times count: Int) {
    func repeated<Element>(_ values: [Element]) -> [Element] { (0..<count).flatMap { _ in values } }
    ids = repeated(batch.ids)
    lengths = repeated(batch.lengths)
    continuations = repeated(batch.continuations)
    width = batch.width
  }

  /// The prompts, all of them so many times over.
  public func repeated(_ count: Int) -> TokenBatch { TokenBatch(self, times: count) }

  /// The rows of the prompts' tokens.
  var layout: SequenceLayout {
    var layout = SequenceLayout()
    for (length, parts) in zip(lengths, continuations) {
      if parts.isEmpty {
        layout.append(shared: [], ownedCount: length)
      } else {
        layout.append(trunk: length - parts.reduce(0, +), branches: parts)
      }
    }
    return layout
  }

  /// The number of tokens of a prompt with its longest continuation.
  private func textLength(_ prompt: Int) -> Int {
    let parts = continuations[prompt]
    return lengths[prompt] - parts.reduce(0, +) + (parts.max() ?? 0)
  }

  /// One prompt's ids, without padding.
  public func prompt(_ index: Int) -> [Int] {
    (0..<lengths[index]).map { Int(ids[index * width + $0]) }
  }

  /// Refuses empty prompts, prompts longer than the context, and ids outside the vocabulary.
  func check(_ configuration: TransformerConfiguration) throws(TransformerError) {
    for (prompt, length) in lengths.enumerated() {
      if length == 0 { throw .emptyPrompt(prompt: prompt) }
      if !continuations[prompt].isEmpty, configuration.attention.contains(where: { !$0.rule.isCausal }) {
        throw .continuationsBothWays(prompt: prompt)
      }
      let text = textLength(prompt)
      if text > configuration.context {
        throw .promptTooLong(prompt: prompt, length: text, context: configuration.context)
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
