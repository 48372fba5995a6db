// Batches for head outputs: every prompt once, beginnings together, and the same outputs as one by one.

import Files
import Tensors
import Testing

@testable import Transformers

@Suite struct HeadOutputBatchTests {
  /// Prompts of which several begin alike, in no order.
  private let prompts: [[Int]] = {
    var prompts = randomPrompts(lengths: (0..<60).map { 1 + ($0 * 5) % 17 }, vocabulary: 30, seed: 21)
    for index in stride(from: 3, to: 60, by: 3) {
      let shared = min(prompts[index].count, prompts[0].count, prompts[1].count, 6)
      prompts[index].replaceSubrange(0..<shared, with: prompts[1].prefix(shared))
    }
    return prompts
  }()

  @Test(arguments: [HeadPooling.last, .mean(excludingFirst: false), .each])
  func outputsAreThoseOfEachPromptAlone(pooling: HeadPooling) throws {
    let model = try TestModel().load()
    let groups = model.headOutputBatches(of: prompts, pooling: pooling)
    #expect(groups.flatMap(\.indices).sorted() == Array(prompts.indices))
    for group in groups {
      let outputs = try model.headOutputs(of: group.batch, pooling: pooling)
      for (row, index) in group.indices.enumerated() {
        let alone = try model.headOutputs(of: TokenBatch([prompts[index]]), pooling: pooling).row(0)
        let found = pooling == .each ? outputs.row(row).rows(0..<prompts[index].count) : outputs.row(row)
        #expect(largestDifference(found, alone) < 1e-5)
      }
    }
  }

  @Test func rowsAreEvenAndNeighboursBeginAlike() throws {
    let model = try TestModel().load()
    // 400 prompts of 16 tokens in 40 families that share their first 10: 40 · 10 + 400 · 6 rows.
    let starts = randomPrompts(lengths: Array(repeating: 10, count: 40), vocabulary: 30, seed: 22)
    let ends = randomPrompts(lengths: Array(repeating: 6, count: 400), vocabulary: 30, seed: 23)
    let groups = model.headOutputBatches(of: ends.indices.map { starts[$0 % 40] + ends[$0] }, pooling: .last)
    #expect(groups.count == 1)
    let rows = groups.map { SequenceLayout.sharingPrefixes($0.batch).layout.rowCount }
    #expect(rows[0] <= 2800)

    let unlike = randomPrompts(lengths: Array(repeating: 16, count: 1000), vocabulary: 30, seed: 24)
    let even = model.headOutputBatches(of: unlike, pooling: .last).map(\.indices.count)
    #expect(even.count > 1)
    #expect((even.max() ?? 0) - (even.min() ?? 0) < 50)
  }

  /// Large enough for products to be split over threads.
  @Test func outputsDoNotDependOnTheNumberOfThreads() throws {
    var wide = TestModel()
    for (name, size) in [("d_model", 128), ("d_head", 32), ("d_mlp", 512)] {
      wide.options[name] = .integer(size)
    }
    let model = try wide.load()
    let batch = TokenBatch(randomPrompts(lengths: Array(repeating: 12, count: 40), vocabulary: 30, seed: 25))
    defer { Threads.use(0) }
    let outputs = try [1, 2, 3, 8].map { count in
      Threads.use(count)
      return try model.headOutputs(of: batch, pooling: .mean(excludingFirst: false))
    }
    let size = max(1, outputs[0].values.map { abs($0) }.max() ?? 0)
    for other in outputs.dropFirst() { #expect(largestDifference(other, outputs[0]) < 1e-5 * size) }
  }
}
