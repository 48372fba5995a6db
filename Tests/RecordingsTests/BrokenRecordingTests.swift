// Recordings that other programs wrote, sound and broken. Golden/make_recordings.py makes them with h5py.

import Files
import Foundation
import TestSupport
import Tensors
import Testing

@testable import Recordings

@Suite struct BrokenRecordingTests {
  static func golden(_ name: String) -> String { packageFolder + "/Tests/RecordingsTests/Golden/" + name }

  @Test func h5pyWritesRecordingsToo() throws {
    let recording = try Recording(path: Self.golden("sound.h5"))
    #expect(recording.description.seed == 9_223_372_036_854_775_809 as UInt64)
    #expect(recording.description.bos)
    #expect(recording.description.task == "ioi")
    #expect(recording.examples.map(\.prompt) == ["un", "deux — 二", "", "quatre\n"])
    #expect(recording.examples.map(\.tokens) == [[1, 2, 3], [4, 5], [6, 7, 8], [9]])
    #expect(recording.labels == [true, true, false, false])
    #expect(recording.pairs == [.init(positive: 0, negative: 2), .init(positive: 1, negative: 3)])
    let outputs = try recording.headOutputs(examples: 0..<4)
    #expect(outputs[3, 1, 1, 4] == lastElement)
  }

  @Test(arguments: [
    ("shape.h5", "/head_outputs has shape [4, 2, 3, 5] where its attributes say [4, 2, 2, 5]"),
    ("rank.h5", "dataset '/head_outputs' has 2 axes, not those of a recording"),
    ("integers.h5", "dataset '/head_outputs' has another element type than a recording's"),
    ("labels.h5", "example 3 has label 7; 0 and 1 are allowed"),
    ("lengths.h5", "example 2 has length 4 where /tokens is 3 wide"),
    ("pairs.h5", "example 0 is paired with 1, which is no example of the other label"),
    ("fewer.h5", "/labels has 3 rows for 4 examples"),
    ("attribute.h5", "attribute 'model_sha256' is missing"),
    ("type.h5", "attribute 'task' has another type than a recording's"),
    ("foreign.h5", "attribute 'schema_version' is missing"),
    ("linked.h5", "dataset '/tokens' does not lie in the file itself, or is no dataset"),
    ("raw.h5", "dataset '/head_outputs' does not lie in the file itself, or is no dataset"),
    ("make_recordings.py", "file signature not found"),
  ])
  func aBrokenFileSaysWhatIsWrong(name: String, problem: String) {
    let path = Self.golden(name)
    #expect(throws: RecordingError.malformed(path: path, problem: problem)) { try Recording(path: path) }
  }

  @Test func aSizeThatIsOnlyDeclaredIsRefused() {
    // However much memory this machine has.
    Limit.unpacked.set(8 << 30)
    defer { Limit.unpacked.set(nil) }
    do {
      _ = try Recording(path: Self.golden("absurd.h5"))
      Issue.record("it was read")
    } catch {
      #expect("\(error)".contains("asks for 80 GiB of numbers than the "), "\(error)")
    }
  }

  @Test func otherRefusals() throws {
    #expect(throws: RecordingError.unsupportedSchema(path: Self.golden("schema.h5"), version: 9)) {
      try Recording(path: Self.golden("schema.h5"))
    }
    #expect(throws: RecordingError.unfinished(path: Self.golden("unfinished.h5"), recorded: 4, examples: 4)) {
      try Recording(path: Self.golden("unfinished.h5"))
    }
    #expect(throws: RecordingError.unreadable(path: "/nowhere.h5", reason: "No such file or directory")) {
      try Recording(path: "/nowhere.h5")
    }
    let recording = try Recording(path: Self.golden("nan.h5"))
    #expect(throws: RecordingError.notFinite(path: Self.golden("nan.h5"), example: 2)) {
      try recording.headOutputs(examples: 1..<4)
    }
    #expect(try recording.headOutputs(examples: 0..<2).shape == [2, 2, 2, 5])
  }

  /// HDF5 finds out by itself only where nobody has the file open.
  @Test func aFileShorterThanItSaysIsRefusedBeforeHDF5SeesIt() throws {
    let whole = try Data(contentsOf: URL(fileURLWithPath: Self.golden("sound.h5")))
    try withTemporaryFolder { folder in
      let path = folder + "/cut.h5"
      try whole.dropLast(8).write(to: URL(fileURLWithPath: path))
      let cut = RecordingError.malformed(
        path: path,
        problem: "it is cut short: 8 of \(whole.count) bytes are missing; record it again")
      #expect(throws: cut) { try Recording(path: path) }
    }
  }

  /// Every prefix of a sound file is refused, and none crashes.
  @Test func truncatedFilesAreRefused() throws {
    let whole = try Data(contentsOf: URL(fileURLWithPath: Self.golden("sound.h5")))
    try withTemporaryFolder { folder in
      let path = folder + "/cut.h5"
      for length in stride(from: 0, to: whole.count, by: 97) {
        try whole.prefix(length).write(to: URL(fileURLWithPath: path))
        #expect(throws: RecordingError.self) { try Recording(path: path) }
      }
    }
  }

  /// HDF5 itself follows damaged lengths and addresses wherever they lead; a seal is checked before it may.
  @Test func aChangedByteAnywhereIsRefused() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/r.h5"
      let writer = try RecordingWriter(
        path: path, description: SmallRecording.description(), examples: SmallRecording.examples)
      try writer.write(headOutputs: SmallRecording.outputs([0, 1, 2, 3, 4]), examples: [0, 1, 2, 3, 4])
      let digest = try writer.finish().sha256()
      let whole = try Data(contentsOf: URL(fileURLWithPath: path))
      #expect(try Recording(path: path).sha256() == digest)
      #expect(try Files.sha256(ofFileAt: path) == digest)
      let damaged = RecordingError.malformed(
        path: path, problem: "its bytes are not those that were written; record it again")
      for place in stride(from: 0, to: whole.count - 92, by: 61) {
        var changed = whole
        changed[place] ^= 0x41
        try changed.write(to: URL(fileURLWithPath: path))
        #expect(throws: damaged, "byte \(place)") { try Recording(path: path) }
      }
      // A seal that is damaged itself is not taken for none.
      for place in whole.count - 92..<whole.count {
        var changed = whole
        changed[place] ^= 0x41
        try changed.write(to: URL(fileURLWithPath: path))
        #expect(throws: RecordingError.self, "byte \(place)") { try Recording(path: path) }
      }
    }
  }

  /// A program that changes a recording through HDF5 takes its seal away, and the recording stays readable.
  @Test func openingForWritingTakesTheSealAway() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/r.h5"
      let writer = try RecordingWriter(
        path: path, description: SmallRecording.description(), examples: SmallRecording.examples)
      try writer.write(headOutputs: SmallRecording.outputs([0, 1, 2, 3, 4]), examples: [0, 1, 2, 3, 4])
      let sealed = try writer.finish().sha256()
      try HDF5.perform { () throws(RecordingError) in
        let file = try HDF5File(path: path, access: .writing)
        try file.writeAttribute("task", "another")
        file.close()
      }
      let recording = try Recording(path: path)
      #expect(recording.description.task == "another")
      #expect(try recording.sha256() != sealed)
    }
  }
}

/// The last head output in Golden/sound.h5, as h5py reads it.
private let lastElement: Float = -0.36060836911201477
