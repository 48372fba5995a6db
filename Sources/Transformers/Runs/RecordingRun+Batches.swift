// Which prompts run together when head outputs are all that is wanted.

import Tensors

extension Transformer {
  /// Sorts prompts into batches for `headOutputs(of:pooling:)`; see `TransformerStage`.
  public func headOutputBatches(of prompts: [[Int]], pooling: HeadPooling) -> [TokenBatch.Group] {
    TransformerStage(self).headOutputBatches(of: prompts, pooling: pooling)
  }
}

extension TransformerStage {
  /// Sorts prompts into batches for `headOutputs(of:pooling:)`.
  ///
  /// Prompts with like beginnings come together, and a beginning that several share counts once. Batches are large
  /// enough to keep matrix products near their peak, of about equal size, and keep their answers below about 112 MB; where
  /// weights must be widened from a file for each batch, four times as much. The first stage's batches are those of the
  /// whole model.
  public func headOutputBatches(of prompts: [[Int]], pooling: HeadPooling) -> [TokenBatch.Group] {
    let floats = configuration.headCount * configuration.dModel
    let places = max(1, (widensWeights ? 112 << 20 : 28 << 20) / max(floats, 1))
    let rowLimit = widensWeights ? 4096 : 3072
    guard pooling != .each else {
      // Answers are as wide as the longest prompt, so lengths matter more than beginnings.
      return TokenBatch.groups(of: prompts, tokenLimit: max(1, min(rowLimit, places)))
    }
    let order = prompts.indices.sorted {
      prompts[$0] == prompts[$1] ? $0 < $1 : prompts[$0].lexicographicallyPrecedes(prompts[$1])
    }
    // The rows that each prompt adds to those before it.
    let sharesRows = configuration.attention.allSatisfy(\.rule.isCausal)
    let rows = order.indices.map { place in
      guard sharesRows, place > 0 else { return prompts[order[place]].count }
      let common = zip(prompts[order[place - 1]], prompts[order[place]]).prefix { $0 == $1 }.count
      return prompts[order[place]].count - common
    }
    let total = rows.reduce(0, +)
    let count = max(1, (total + rowLimit - 1) / rowLimit, (prompts.count + places - 1) / places)
    let equalRows = (total + count - 1) / count
    var groups: [[Int]] = []
    var filled = Int.max
    for (place, index) in order.enumerated() {
      if filled >= equalRows || groups[groups.count - 1].count >= places {
        groups.append([])
        filled = 0
      }
      groups[groups.count - 1].append(index)
      filled += rows[place]
    }
    return groups.map { indices in
      TokenBatch.Group(indices: indices, batch: TokenBatch(indices.map { prompts[$0] }))
    }
  }
}
