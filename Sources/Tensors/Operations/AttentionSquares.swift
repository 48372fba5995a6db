// Where the scores and patterns of packed sequences lie: for each sequence, then each head, a square `[query, key]`.

/// The squares of all sequences and heads, one after the other, without padding.
public struct AttentionSquares: Sendable, Equatable {
  /// Heads of each sequence.
  public let heads: Int
  /// Each sequence's number of positions.
  public let lengths: [Int]
  /// Where each sequence's text goes on in several ways.
  let branches: [[Range<Int>]]
  /// Where each sequence's squares begin.
  let starts: [Int]
  /// Number of elements of all squares.
  public let count: Int

  /// The squares of a layout in which no sequence shares rows.
  public init(_ layout: SequenceLayout, heads: Int) {
    precondition(layout.sequences.allSatisfy { $0.firstOwned == 0 }, "squares of sequences that share rows")
    self.heads = heads
    lengths = layout.sequences.map(\.length)
    branches = layout.sequences.map(\.branches)
    var starts: [Int] = []
    var total = 0
    for length in lengths {
      starts.append(total)
      total += heads * length * length
    }
    self.starts = starts
    count = total
  }

  func start(sequence: Int, head: Int) -> Int {
    starts[sequence] + head * lengths[sequence] * lengths[sequence]
  }

  /// The squares as people read them: `[sequence, head, query, key]`, as wide as the longest sequence.
  public func padded(_ values: Tensor, with filling: Float) -> Tensor {
    precondition(values.count == count, "squares of shape \(values.shape), not \(count)")
    let width = lengths.max() ?? 0
    var result = Tensor(repeating: filling, shape: [lengths.count, heads, width, width])
    let target = result.mutablePointer()
    withExtendedLifetime(values.storage) {
      forEachRow { start, length, sequence, head, query in
        (target + ((sequence * heads + head) * width + query) * width)
          .update(from: values.pointer + start, count: length)
      }
    }
    return result
  }

  /// The squares of a padded value.
  public func packed(_ padded: Tensor) -> Tensor {
    let width = lengths.max() ?? 0
    precondition(
      padded.shape == [lengths.count, heads, width, width], "squares from shape \(padded.shape)")
    var result = Tensor(uninitialized: [count])
    let target = result.mutablePointer()
    withExtendedLifetime(padded.storage) {
      forEachRow { start, length, sequence, head, query in
        (target + start).update(
          from: padded.pointer + ((sequence * heads + head) * width + query) * width, count: length)
      }
    }
    return result
  }

  private func forEachRow(_ body: (Int, Int, Int, Int, Int) -> Void) {
    for (sequence, length) in lengths.enumerated() {
      for head in 0..<heads {
        for query in 0..<length {
          body(start(sequence: sequence, head: head) + query * length, length, sequence, head, query)
        }
      }
    }
  }
}
