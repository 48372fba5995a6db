// Prompts that begin alike share the rows of their common beginning.

import Tensors

extension SequenceLayout {
  /// A layout of a batch in which each distinct beginning of a prompt is one set of rows.
  ///
  /// In a causal model a token's values depend on the tokens before it alone, so prompts made from a template need its
  /// beginning computed once.
  ///
  /// - Returns: the layout, with its sequences in an order of their own, and the prompt that each sequence is.
  static func sharingPrefixes(_ batch: TokenBatch) -> (layout: SequenceLayout, prompts: [Int]) {
    let tokens = (0..<batch.count).map { prompt in
      batch.ids[prompt * batch.width..<prompt * batch.width + batch.lengths[prompt]]
    }
    // In alphabetical order a prompt has its longest common beginning with the one before it.
    let prompts = tokens.indices.sorted { tokens[$0].lexicographicallyPrecedes(tokens[$1]) }
    var layout = SequenceLayout()
    for (place, prompt) in prompts.enumerated() {
      var common = 0
      if place > 0 {
        common = zip(tokens[prompts[place - 1]], tokens[prompt]).prefix { $0 == $1 }.count
      }
      let shared = layout.sequences.last?.rows.prefix(common) ?? []
      layout.append(shared: shared, ownedCount: batch.lengths[prompt] - common)
    }
    return (layout, prompts)
  }
}
