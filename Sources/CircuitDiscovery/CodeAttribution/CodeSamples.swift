// Head outputs that a dictionary is trained on: drawn over prompts, positions and heads.

import CausalMethods
import Tensors
import Transformers

/// Head outputs drawn at random, and which head each is of.
public struct HeadOutputSamples: Sendable {
  /// `[samples, d_model]`.
  public var outputs: Tensor
  /// The head of each, over all layers.
  public var heads: [Int]
  /// The number of heads, over all layers.
  public var headCount: Int
  /// The tokens of the prompts that were run for them.
  public var prompts: [[Int]]

  /// The root of the mean squared length of each head's outputs; of a head that was not drawn, or that writes nothing, 1.
  public var scales: [Float] {
    var sums = [Double](repeating: 0, count: headCount)
    var counts = [Int](repeating: 0, count: headCount)
    for (sample, head) in heads.enumerated() {
      sums[head] += outputs.row(sample).values.reduce(0.0) { $0 + Double($1) * Double($1) }
      counts[head] += 1
    }
    return zip(sums, counts).map { $0 > 0 ? Float(($0 / Double($1)).squareRoot()) : 1 }
  }

  /// The outputs, each divided by its head's scale.
  public func scaled(by scales: [Float]) -> Tensor {
    var result = outputs
    let width = outputs.shape[1]
    result.withMutableValues { values in
      for index in values.indices { values[index] /= scales[heads[index / width]] }
    }
    return result
  }
}

extension Transformer {
  /// Outputs of heads z·W_O at random positions of random prompts, positives and their counterparts alike.
  ///
  /// - Parameters:
  ///   - count: how many to draw.
  ///   - promptLimit: at most this many prompts are run for them.
  ///   - seed: of prompts, positions and heads.
  /// - Throws: `TransformerError` for prompts the model cannot read.
  public func sampleHeadOutputs(
    _ task: CausalTask, count: Int, promptLimit: Int = 128, tokenLimit: Int = 448, seed: UInt64
  ) throws -> HeadOutputSamples {
    var generator = SeededGenerator(seed: seed, stream: "head outputs")
    let clean = generator.permutation(of: task.clean.count).prefix(promptLimit / 2)
    var prompts = clean.map { task.clean[$0] }
    prompts +=
      task.corrupted.isEmpty
      ? generator.permutation(of: task.others.count).prefix(promptLimit / 2).map { task.others[$0] }
      : clean.map { task.corrupted[$0] }
    let (layers, heads, width) = (configuration.layers, configuration.heads, configuration.dModel)
    // Places in all outputs of these prompts, drawn with repeats.
    let total = prompts.reduce(0) { $0 + $1.count }
    var starts: [Int] = []
    var sum = 0
    for prompt in prompts {
      starts.append(sum)
      sum += prompt.count
    }
    var drawnHeads: [Int] = []
    var wanted: [[(token: Int, head: Int, sample: Int)]] = .init(repeating: [], count: layers)
    for sample in 0..<count {
      let place = (generator.index(below: total), generator.index(below: layers * heads))
      drawnHeads.append(place.1)
      wanted[place.1 / heads].append((place.0, place.1 % heads, sample))
    }
    var samples = Tensor(uninitialized: [count, width])
    for group in TokenBatch.groups(of: prompts, tokenLimit: tokenLimit) {
      // Which rows of this group's outputs the tokens of each prompt are.
      var rowOfToken: [Int: Int] = [:]
      for (row, index) in group.indices.enumerated() {
        for position in prompts[index].indices {
          rowOfToken[starts[index] + position] = row * group.batch.width + position
        }
      }
      try run(group.batch, observing: Set((0..<layers).map { .z(layer: $0) })) { point, value in
        guard let layer = point.layer else { return }
        let rows = group.batch.count * group.batch.width
        let results = try weights.blocks[layer].attention.headResults(
          value.reshaped([rows, value.count / rows]), heads: heads
        ).reshaped([rows * heads, width])
        for place in wanted[layer] {
          guard let row = rowOfToken[place.token] else { continue }
          samples.write(results.row(row * heads + place.head), at: place.sample * width)
        }
      }
    }
    return HeadOutputSamples(outputs: samples, heads: drawnHeads, headCount: layers * heads, prompts: prompts)
  }
}
