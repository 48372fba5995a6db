// Recordings in parts: merged they are what one run records, and a part that is missing or changed is refused.

import Files
import Foundation
import TestSupport
import Tensors
import Testing

@testable import Recordings

/// Fourteen prompts whose pairs lie across the borders of parts.
enum PartedRecording {
  static let examples: [RecordedExample] = (0..<14).map { index in
    RecordedExample(
      prompt: "prompt \(index)", tokens: (0...index % 4).map { index + $0 }, isPositive: index < 7,
      pair: index == 3 || index == 10 ? nil : (index + 7) % 14)
  }

  static func manifest(_ index: Int, of count: Int, seed: UInt64 = 7) throws -> ShardManifest {
    try ShardManifest(
      #require(Shard(index, of: count)), command: "record", unit: "prompts", total: examples.count,
      facts: [.init("seed", "\(seed)")], words: ["--", "ioi"])
  }

  static func record(
    _ path: String, _ manifest: ShardManifest?, position: RecordedPosition = .mean, seed: UInt64 = 7
  ) throws {
    let cut = manifest.map { RecordedPart.cut(examples, $0) }
    let writer = try RecordingWriter(
      path: path, description: SmallRecording.description(position: position, seed: seed),
      examples: cut?.examples ?? examples, part: cut?.part)
    let range = manifest?.range ?? examples.indices
    for place in writer.missingExamples {
      let example = range.lowerBound + place
      let width = position == .each ? examples[example].tokens.count : nil
      try writer.write(
        headOutputs: SmallRecording.outputs([example], perPosition: width), examples: [place])
    }
    try writer.finish()
  }

  /// Records all parts, and answers with their paths.
  static func parts(
    _ folder: String, _ count: Int, position: RecordedPosition = .mean, seed: UInt64 = 7
  ) throws -> [String] {
    try (1...count).map { index in
      let path = folder + "/part \(index)%of \(count)-\(seed).h5"
      try record(path, manifest(index, of: count, seed: seed), position: position, seed: seed)
      return path
    }
  }
}

@Suite struct MergedRecordingTests {
  private func part(_ index: Int, of count: Int) throws -> Shard {
    try #require(Shard(index, of: count))
  }

  @Test(arguments: [1, 2, 3, 7], [RecordedPosition.mean, .each])
  func partsAreWhatOneRunRecords(count: Int, position: RecordedPosition) throws {
    try withTemporaryFolder { folder in
      try PartedRecording.record(folder + "/whole.h5", nil, position: position)
      let whole = try Recording(path: folder + "/whole.h5")
      try makeFolder(folder + "/parts")
      try makeFolder(folder + "/out")
      let parts = try PartedRecording.parts(folder + "/parts", count, position: position)
      let merge = try RecordingMerge(parts.reversed())
      for merged in [
        try merge.link(to: folder + "/out/linked.h5"), try Recording(path: folder + "/out/linked.h5"),
        try merge.copy(to: folder + "/copied.h5"),
      ] {
        #expect(merged.description == whole.description)
        #expect(merged.examples == whole.examples)
        #expect(merged.pairs == whole.pairs)
        #expect(merged.part == nil)
        #expect(try merged.headOutputs(examples: 0..<14) == whole.headOutputs(examples: 0..<14))
        for range in [0..<0, 3..<4, 5..<11, 13..<14] {
          #expect(try merged.headOutputs(examples: range) == whole.headOutputs(examples: range))
        }
      }
      // One file of all parts has the very bytes of one run.
      #expect(
        try Data(contentsOf: URL(fileURLWithPath: folder + "/copied.h5"))
          == Data(contentsOf: URL(fileURLWithPath: folder + "/whole.h5")))
      // Names are relative: both folders can move together.
      let moved = folder + "/moved"
      try makeFolder(moved)
      for name in ["parts", "out"] {
        try FileManager.default.moveItem(atPath: folder + "/" + name, toPath: moved + "/" + name)
      }
      let found = try Recording(path: moved + "/out/linked.h5")
      #expect(try found.headOutputs(examples: 2..<12) == whole.headOutputs(examples: 2..<12))
    }
  }

  /// HDF5's own way of reading, which other programs use.
  @Test func theVirtualDatasetHoldsTheSameNumbers() throws {
    try withTemporaryFolder { folder in
      let parts = try PartedRecording.parts(folder, 3)
      let merged = try RecordingMerge(parts).link(to: folder + "/linked.h5")
      let shape = [14, 2, 3, 4]
      var values = [Float](repeating: .nan, count: shape.reduce(1, *))
      try HDF5.perform { () throws(RecordingError) in
        let file = try HDF5File(path: folder + "/linked.h5", access: .reading)
        defer { file.close() }
        try file.read("head_outputs", rows: 0..<14, .float32, into: &values)
      }
      #expect(try Tensor(values, shape: shape) == merged.headOutputs(examples: 0..<14))
    }
  }

  @Test func aPartThatIsMissingOrChangedIsRefused() throws {
    try withTemporaryFolder { folder in
      let parts = try PartedRecording.parts(folder, 3)
      let merged = folder + "/linked.h5"
      let open = try RecordingMerge(parts).link(to: merged)
      let kept = try Data(contentsOf: URL(fileURLWithPath: parts[1]))
      let name = folder + "/" + (parts[1] as NSString).lastPathComponent
      func expect(_ problem: String, _ body: () throws -> Void) {
        #expect(
          throws: RecordingError.missingPart(path: merged, part: name, problem: problem), performing: body)
      }
      removeFile(parts[1])
      expect("that is not there") { _ = try Recording(path: merged) }
      // One that is open already does not read zeros either.
      expect("that is not there any more") { _ = try open.headOutputs(examples: 0..<14) }
      #expect(try open.headOutputs(examples: 0..<4).shape == [4, 2, 3, 4])
      var changed = kept
      changed[changed.count / 2] ^= 1
      try changed.write(to: URL(fileURLWithPath: parts[1]))
      expect("its bytes are not those that were merged") { _ = try Recording(path: merged) }
      try FileManager.default.removeItem(atPath: parts[1])
      try PartedRecording.record(parts[1], PartedRecording.manifest(2, of: 3, seed: 8), seed: 8)
      expect("that is another file than was merged") { _ = try Recording(path: merged) }
      try kept.write(to: URL(fileURLWithPath: parts[1]))
      #expect(try Recording(path: merged).examples.count == 14)
      // Without its seal nothing is known of the parts.
      var bytes = try Data(contentsOf: URL(fileURLWithPath: merged))
      bytes.removeLast(100)
      try bytes.write(to: URL(fileURLWithPath: merged))
      #expect(throws: RecordingError.self) { try Recording(path: merged) }
    }
  }

  @Test func whatCannotBeMergedIsNamed() throws {
    try withTemporaryFolder { folder in
      let parts = try PartedRecording.parts(folder, 3)
      let others = try PartedRecording.parts(folder, 3, seed: 8)
      let fewer = try PartedRecording.parts(folder, 2)
      #expect(throws: ShardError.missing([2], count: 3)) { try RecordingMerge([parts[0], parts[2]]) }
      let one = try part(1, of: 3)
      #expect(
        throws: ShardError.repeated(path: parts[0], shard: one, other: parts[0])
      ) { try RecordingMerge(parts + [parts[0]]) }
      #expect(
        throws: ShardError.foreign(path: others[1], difference: "its seed is '8', not '7'", first: parts[0])
      ) { try RecordingMerge([parts[0], others[1], parts[2]]) }
      #expect(
        throws: ShardError.foreign(
          path: fewer[1], difference: "its number of parts is '2', not '3'", first: parts[0])
      ) { try RecordingMerge([parts[0], fewer[1]]) }
      try PartedRecording.record(folder + "/whole.h5", nil)
      #expect(
        throws: ShardError.notAShard(path: folder + "/whole.h5", problem: "it is a whole recording")
      ) { try RecordingMerge([parts[0], folder + "/whole.h5"]) }
      #expect(throws: RecordingError.self) { try RecordingMerge([parts[0], folder + "/absent.h5"]) }
      // A part is no place to write to.
      let merge = try RecordingMerge(parts)
      #expect(throws: RecordingError.self) { try merge.link(to: parts[1]) }
      #expect(throws: RecordingError.self) { try merge.copy(to: parts[1]) }
      #expect(try RecordingMerge(parts).exampleCount == 14)
    }
  }

  @Test func anUnfinishedPartIsNotContinuedByAnother() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/p.h5"
      do {
        let cut = RecordedPart.cut(PartedRecording.examples, try PartedRecording.manifest(1, of: 2))
        let writer = try RecordingWriter(
          path: path, description: SmallRecording.description(), examples: cut.examples, part: cut.part)
        try writer.write(headOutputs: SmallRecording.outputs([0]), examples: [0])
      }
      #expect(
        throws: RecordingError.differentPartial(
          path: path + ".partial", difference: "it is part 1/2, not 2/2")
      ) { try PartedRecording.record(path, PartedRecording.manifest(2, of: 2)) }
      #expect(
        throws: RecordingError.differentPartial(
          path: path + ".partial", difference: "it is part 1/2, not a whole recording")
      ) { try PartedRecording.record(path, nil) }
      try PartedRecording.record(path, PartedRecording.manifest(1, of: 2))
      #expect(try Recording(path: path).part?.pairs.first == 7)
      #expect(try Recording(path: path).examples[0].pair == nil)
    }
  }
}
