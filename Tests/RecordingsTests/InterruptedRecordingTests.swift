// A process that dies, and a disk that is full: what was complete stays, and the next run goes on from there.

import Foundation
import Glibc
import TestSupport
import Tensors
import Testing

@testable import Recordings

@Suite struct InterruptedRecordingTests {
  /// 40 examples of 2 × 3 heads of width 4 and their outputs.
  static let examples = (0..<40).map {
    RecordedExample(prompt: "prompt \($0)", tokens: [$0], isPositive: $0 < 20)
  }

  @Test func aKilledProcessLosesNothingThatWasComplete() async throws {
    await #expect(processExitsWith: .signal(SIGKILL)) {
      let path = NSTemporaryDirectory() + "/headlamp-killed-\(getppid()).h5"
      let writer = try RecordingWriter(
        path: path, description: SmallRecording.description(), examples: InterruptedRecordingTests.examples)
      try writer.write(headOutputs: SmallRecording.outputs(Array(0..<25)), examples: Array(0..<25))
      kill(getpid(), SIGKILL)
    }
    let path = NSTemporaryDirectory() + "/headlamp-killed-\(getpid()).h5"
    defer { unlink(path + ".partial") }
    #expect(throws: RecordingError.unfinished(path: path, recorded: 25, examples: 40)) {
      try Recording(path: path)
    }
    let writer = try RecordingWriter(
      path: path, description: SmallRecording.description(), examples: Self.examples)
    defer { unlink(path) }
    #expect(writer.missingExamples == Array(25..<40))
    try writer.write(headOutputs: SmallRecording.outputs(Array(25..<40)), examples: Array(25..<40))
    let recording = try writer.finish()
    #expect(try recording.headOutputs(examples: 0..<40) == SmallRecording.outputs(Array(0..<40)))
  }

  @Test func aFullDiskIsAnErrorAndNothingIsLost() async throws {
    await #expect(processExitsWith: .exitCode(7)) {
      let path = NSTemporaryDirectory() + "/headlamp-full-\(getppid()).h5"
      let writer = try RecordingWriter(
        path: path, description: SmallRecording.description(), examples: InterruptedRecordingTests.examples)
      try writer.write(headOutputs: SmallRecording.outputs(Array(0..<10)), examples: Array(0..<10))
      // From here on the file may not be written to past its first half kilobyte, as on a disk that is full.
      signal(SIGXFSZ, SIG_IGN)
      var limit = rlimit(rlim_cur: 512, rlim_max: 512)
      setrlimit(__rlimit_resource_t(1), &limit)
      do {
        try writer.write(headOutputs: SmallRecording.outputs(Array(10..<40)), examples: Array(10..<40))
      } catch RecordingError.cutShort(_, let reason) {
        exit(reason == "File too large" ? 7 : 8)
      }
    }
    let path = NSTemporaryDirectory() + "/headlamp-full-\(getpid()).h5"
    defer { unlink(path + ".partial") }
    let writer = try RecordingWriter(
      path: path, description: SmallRecording.description(), examples: Self.examples)
    defer { unlink(path) }
    #expect(writer.missingExamples == Array(10..<40))
    try writer.write(headOutputs: SmallRecording.outputs(Array(10..<40)), examples: Array(10..<40))
    let recording = try writer.finish()
    #expect(try recording.headOutputs(examples: 0..<40) == SmallRecording.outputs(Array(0..<40)))
  }
}
