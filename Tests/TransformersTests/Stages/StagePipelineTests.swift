// A pipeline of threads in place of processes gives what one process gives, in the order of the batches.

import Files
import Foundation
import Tensors
import TestSupport
import Testing

@testable import Transformers

/// Processes of one pipeline that are threads of this one.
private final class Mailboxes: @unchecked Sendable {
  let size: Int
  /// Guards `waiting`; of pthread's kind, which the thread sanitizer knows.
  private let condition = NSCondition()
  private var waiting: [[Int]: [StageMessage]] = [:]

  init(size: Int) { self.size = size }

  func put(_ message: StageMessage, from: Int, to: Int) {
    condition.withLock {
      waiting[[from, to], default: []].append(message)
      condition.broadcast()
    }
  }

  func take(from: Int, to: Int) -> StageMessage {
    condition.withLock {
      while true {
        if let all = waiting[[from, to]], let first = all.first {
          waiting[[from, to]] = Array(all.dropFirst())
          return first
        }
        condition.wait()
      }
    }
  }

  var isEmpty: Bool { condition.withLock { waiting.values.allSatisfy(\.isEmpty) } }
}

private struct ThreadLink: StageLink {
  let rank: Int
  let boxes: Mailboxes
  var size: Int { boxes.size }
  func send(_ message: StageMessage, to other: Int) { boxes.put(message, from: rank, to: other) }
  func receive(from other: Int) -> StageMessage { boxes.take(from: other, to: rank) }
}

@Suite struct StagePipelineTests {
  private func model(in folder: String) throws {
    var small = TestModel()
    small.options["n_layers"] = .integer(4)
    small.options["codebook_at"] = .string("heads")
    small.options["codebook_codes"] = .integer(9)
    small.options["codebook_active"] = .integer(2)
    try small.write(to: folder)
  }

  /// More batches than stages, and fewer.
  @Test(arguments: [1, 2, 3, 4], [1, 2, 9])
  func batchesComeBackWholeAndInOrder(size: Int, count: Int) throws {
    try withTemporaryFolder { folder in
      try model(in: folder)
      let whole = try Transformer(folder: folder)
      let kinds = StageTests.batches(30, context: 40)
      let batches = (0..<count).map { kinds[$0 % kinds.count] }
      let cuts = try TransformerStage.cuts(ofFolder: folder, stages: size)
      let boxes = Mailboxes(size: size)
      let stages = try cuts.map { try TransformerStage(folder: folder, layers: $0) }
      let finished = DispatchGroup()
      for rank in stride(from: 1, to: size, by: 1) {
        finished.enter()
        Thread.detachNewThread {
          do { try stages[rank].work(over: ThreadLink(rank: rank, boxes: boxes)) } catch {
            Issue.record("stage \(rank): \(error)")
          }
          finished.leave()
        }
      }
      let pipeline = StagePipeline(stages[0], cuts, over: ThreadLink(rank: 0, boxes: boxes))
      #expect(pipeline.configuration == whole.configuration)
      var seen: [Int] = []
      try pipeline.forEachHeadOutputs(of: batches) { index, outputs, codes in
        seen.append(index)
        let expected = try RecordedHeads(whole, batches[index])
        #expect(RecordedHeads(outputs, codes) == expected, "batch \(index) of \(size) stages")
        var shape = Tensor(zeros: [0])
        _ = try whole.headOutputs(of: batches[index].batch, pooling: batches[index].pooling, into: &shape)
        #expect(outputs.shape == shape.shape)
      }
      pipeline.finish()
      finished.wait()
      #expect(seen == Array(0..<count))
      #expect(boxes.isEmpty)
    }
  }

  @Test func batchesAreThoseOfTheWholeModel() throws {
    try withTemporaryFolder { folder in
      try model(in: folder)
      let prompts = randomPrompts(lengths: (0..<700).map { 1 + $0 % 13 }, vocabulary: 30, seed: 33)
      let stage = try TransformerStage(folder: folder, layers: 0..<2)
      for pooling in [HeadPooling.last, .each] {
        #expect(
          try stage.headOutputBatches(of: prompts, pooling: pooling)
            == Transformer(folder: folder).headOutputBatches(of: prompts, pooling: pooling))
      }
    }
  }
}
