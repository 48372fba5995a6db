// What is written comes back; what was interrupted goes on or is refused.

import Foundation
import TestSupport
import Tensors
import Testing

@testable import Recordings

/// A small recording to write: five prompts, 2 × 3 heads of width 4.
enum SmallRecording {
  static func description(position: RecordedPosition = .mean, seed: UInt64 = 7) -> RecordingDescription {
    RecordingDescription(
      task: "ioi", model: "toy", modelSHA256: String(repeating: "0f", count: 32), layers: 2, heads: 3,
      dModel: 4,
      position: position, bos: true, seed: seed)
  }

  static let examples = [
    RecordedExample(prompt: "a b", tokens: [1, 2], isPositive: true, pair: 3),
    RecordedExample(prompt: "", tokens: [], isPositive: true),
    RecordedExample(prompt: "日本 語\n", tokens: [5, 50_000, 7], isPositive: true, pair: 4),
    RecordedExample(prompt: "c", tokens: [9], isPositive: false, pair: 0),
    RecordedExample(prompt: "d", tokens: [0], isPositive: false, pair: 2),
  ]

  /// Different numbers for every element of every example.
  static func outputs(_ examples: [Int], perPosition: Int? = nil) -> Tensor {
    let shape = [examples.count] + (perPosition.map { [$0] } ?? []) + [2, 3, 4]
    let width = shape.dropFirst().reduce(1, *)
    return Tensor(
      examples.flatMap { example in (0..<width).map { Float(example * 1000 + $0) } }, shape: shape)
  }
}

@Suite struct RecordingWriterTests {
  @Test func whatIsWrittenComesBack() throws {
    try withTemporaryFolder { folder in
      let writer = try RecordingWriter(
        path: folder + "/r.h5", description: SmallRecording.description(), examples: SmallRecording.examples)
      try writer.write(headOutputs: SmallRecording.outputs([4, 0]), examples: [4, 0])
      try writer.write(headOutputs: SmallRecording.outputs([1, 2, 3]), examples: [1, 2, 3])
      let recording = try writer.finish()
      #expect(recording.description == SmallRecording.description())
      #expect(recording.examples == SmallRecording.examples)
      #expect(recording.tokenWidth == 3)
      #expect(try recording.headOutputs(examples: 0..<5) == SmallRecording.outputs([0, 1, 2, 3, 4]))
      #expect(try recording.headOutputs(examples: 3..<5) == SmallRecording.outputs([3, 4]))
      #expect(recording.pairs == [.init(positive: 0, negative: 3), .init(positive: 2, negative: 4)])
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder) == ["r.h5"])
    }
  }

  @Test func positionsArePaddedWithZeros() throws {
    try withTemporaryFolder { folder in
      let writer = try RecordingWriter(
        path: folder + "/r.h5", description: SmallRecording.description(position: .each),
        examples: SmallRecording.examples)
      try writer.write(headOutputs: SmallRecording.outputs([0, 3, 4], perPosition: 2), examples: [0, 3, 4])
      try writer.write(headOutputs: SmallRecording.outputs([2, 1], perPosition: 3), examples: [2, 1])
      let outputs = try writer.finish().headOutputs(examples: 0..<5)
      #expect(outputs.shape == [5, 3, 2, 3, 4])
      #expect(
        outputs.row(3).rows(0..<2).reshaped([1, 2, 2, 3, 4]) == SmallRecording.outputs([3], perPosition: 2))
      #expect(outputs.row(3).row(2) == Tensor(zeros: [2, 3, 4]))
      #expect(outputs.row(2).reshaped([1, 3, 2, 3, 4]) == SmallRecording.outputs([2], perPosition: 3))
    }
  }

  @Test func anInterruptedRecordingGoesOn() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/r.h5"
      do {
        let writer = try RecordingWriter(
          path: path, description: SmallRecording.description(), examples: SmallRecording.examples)
        try writer.write(headOutputs: SmallRecording.outputs([0, 1]), examples: [0, 1])
      }
      #expect(throws: RecordingError.unfinished(path: path, recorded: 2, examples: 5)) {
        try Recording(path: path)
      }
      #expect(throws: RecordingError.unfinished(path: path + ".partial", recorded: 2, examples: 5)) {
        try Recording(path: path + ".partial")
      }
      let writer = try RecordingWriter(
        path: path, description: SmallRecording.description(), examples: SmallRecording.examples)
      #expect(writer.missingExamples == [2, 3, 4])
      #expect(throws: RecordingError.missingExamples(path: path, count: 3)) { try writer.finish() }
      try writer.write(headOutputs: SmallRecording.outputs([2, 3, 4]), examples: [2, 3, 4])
      let recording = try writer.finish()
      #expect(try recording.headOutputs(examples: 0..<5) == SmallRecording.outputs([0, 1, 2, 3, 4]))
    }
  }

  @Test func anotherRecordingIsNotContinued() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/r.h5"
      do {
        _ = try RecordingWriter(
          path: path, description: SmallRecording.description(), examples: SmallRecording.examples)
      }
      #expect(
        throws: RecordingError.differentPartial(
          path: path + ".partial", difference: "its seed is '7', not '8'")
      ) {
        try RecordingWriter(
          path: path, description: SmallRecording.description(seed: 8), examples: SmallRecording.examples)
      }
      #expect(
        throws: RecordingError.differentPartial(path: path + ".partial", difference: "its prompts are others")
      ) {
        try RecordingWriter(
          path: path, description: SmallRecording.description(),
          examples: Array(SmallRecording.examples.prefix(2)))
      }
    }
  }

  @Test func theSameRecordingHasTheSameBytes() throws {
    try withTemporaryFolder { folder in
      var bytes: [Data] = []
      for name in ["a.h5", "b.h5"] {
        let writer = try RecordingWriter(
          path: folder + "/" + name, description: SmallRecording.description(),
          examples: SmallRecording.examples)
        // The order of batches does not matter.
        let order = name == "a.h5" ? [0, 1, 2, 3, 4] : [3, 1, 0, 4, 2]
        for example in order {
          try writer.write(headOutputs: SmallRecording.outputs([example]), examples: [example])
        }
        try writer.finish()
        bytes.append(try Data(contentsOf: URL(fileURLWithPath: folder + "/" + name)))
        Thread.sleep(forTimeInterval: 1.1)
      }
      #expect(bytes[0] == bytes[1])
    }
  }

  @Test func notANumberIsRefusedBeforeItIsWritten() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/r.h5"
      let writer = try RecordingWriter(
        path: path, description: SmallRecording.description(), examples: SmallRecording.examples)
      var outputs = SmallRecording.outputs([1, 3])
      outputs[1, 0, 0, 2] = .infinity
      #expect(throws: RecordingError.notFinite(path: path, example: 3)) {
        try writer.write(headOutputs: outputs, examples: [1, 3])
      }
      #expect(writer.missingExamples.count == 5)
    }
  }

  @Test func aFolderThatDoesNotExistIsNamed() {
    let error = #expect(throws: RecordingError.self) {
      try RecordingWriter(
        path: "/nowhere/r.h5", description: SmallRecording.description(), examples: SmallRecording.examples)
    }
    #expect(
      error == .unwritable(path: "/nowhere/r.h5", reason: "No such file or directory"))
  }

  @Test func threadsTakeTurns() async throws {
    try await withThrowingTaskGroup(of: Bool.self) { group in
      for seed in 0..<8 {
        group.addTask {
          try withTemporaryFolder { folder in
            let writer = try RecordingWriter(
              path: folder + "/r.h5", description: SmallRecording.description(seed: UInt64(seed)),
              examples: SmallRecording.examples)
            for example in 0..<5 {
              try writer.write(headOutputs: SmallRecording.outputs([example]), examples: [example])
            }
            return try writer.finish().headOutputs(examples: 0..<5)
              == SmallRecording.outputs([0, 1, 2, 3, 4])
          }
        }
      }
      for try await same in group { #expect(same) }
    }
  }
}
