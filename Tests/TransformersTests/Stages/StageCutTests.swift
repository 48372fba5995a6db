// Cuts of layers: contiguous, all of them, and the largest stage as small as any cut makes it.

import Files
import Tensors
import TestSupport
import Testing

@testable import Transformers

@Suite struct StageCutTests {
  private func largest(_ cuts: [Range<Int>], _ sizes: LayerBytes) -> Int {
    cuts.map { layers in
      sizes.layers[layers].reduce(layers.lowerBound == 0 ? sizes.embedding : 0, +)
    }.max() ?? 0
  }

  /// All cuts of `first..<count` into so many stages.
  private func all(_ first: Int, _ count: Int, _ stages: Int) -> [[Range<Int>]] {
    guard stages > 1 else { return [[first..<count]] }
    return (first + 1...count - stages + 1).flatMap { end in
      all(end, count, stages - 1).map { [first..<end] + $0 }
    }
  }

  @Test func noCutHasASmallerLargestStage() {
    var generator = SeededGenerator(seed: 41)
    for count in 1...7 {
      for stages in 1...count {
        for embedding in [0, 3, 50] {
          let sizes = LayerBytes(
            layers: (0..<count).map { _ in 1 + generator.index(below: 20) }, embedding: embedding)
          let found = TransformerStage.cuts(of: sizes, stages: stages)
          #expect(found.count == stages && found.allSatisfy { !$0.isEmpty }, "\(sizes)")
          #expect(found.flatMap { Array($0) } == Array(0..<count), "\(sizes) \(stages)")
          #expect(
            largest(found, sizes) == all(0, count, stages).map { largest($0, sizes) }.min(),
            "\(sizes) \(stages)")
        }
      }
    }
  }

  @Test func bytesAreThoseOnFile() throws {
    try withTemporaryFolder { folder in
      try TestModel().write(to: folder)
      let source = try ModelSource(path: folder)
      let sizes = try LayerBytes(source.checkpoint(), source.configuration)
      // Four heads of width 5 on a stream of 24, an MLP of 40, biases and two norms.
      let heads = 4 * (3 * (24 * 5 + 5) + 5 * 24) + 24
      let layer = heads + 24 * 40 + 40 + 40 * 24 + 24 + 4 * 24
      #expect(sizes == LayerBytes(layers: [4 * layer, 4 * layer, 4 * layer], embedding: 4 * (30 + 40) * 24))
      // The embedding counts: the first stage is no longer than the second.
      #expect(try TransformerStage.cuts(ofFolder: folder, stages: 2) == [0..<1, 1..<3])
    }
  }
}
