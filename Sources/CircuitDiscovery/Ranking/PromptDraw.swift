// Draws of a recording's prompts with replacement, for intervals that say how much the prompts matter.

import Recordings
import Tensors

/// How often each example of a recording counts.
struct PromptDraw: Sendable {
  /// One number an example.
  let weights: [Int]

  /// Every example once: the recording as it is.
  init(all examples: Int) {
    weights = [Int](repeating: 1, count: examples)
  }

  /// As many prompts as there are, drawn with replacement. A positive and its negative are drawn together; prompts
  /// without a partner are drawn among those of their label, so that no label is lost.
  init(from recording: Recording, using generator: inout SeededGenerator) {
    var weights = [Int](repeating: 0, count: recording.examples.count)
    let pairs = recording.pairs
    for _ in pairs.indices {
      let pair = pairs[generator.index(below: pairs.count)]
      weights[pair.positive] += 1
      weights[pair.negative] += 1
    }
    let paired = Set(pairs.flatMap { [$0.positive, $0.negative] })
    for label in [true, false] {
      let alone = recording.examples.indices.filter {
        recording.examples[$0].isPositive == label && !paired.contains($0)
      }
      for _ in alone { weights[alone[generator.index(below: alone.count)]] += 1 }
    }
    self.weights = weights
  }
}
