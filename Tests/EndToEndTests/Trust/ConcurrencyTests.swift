// Two processes on one output: the second is refused with the first one's number, or waits for nothing and says so; what is
// read beside a writer is the old result or the new one.

import Foundation
import TestSupport
import Testing

@Suite struct ConcurrencyTests {
  private func start(_ words: [String], folder: String) throws -> (process: Process, errors: Pipe) {
    let process = Process()
    process.executableURL = builtCommand
    process.arguments = words
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    let errors = Pipe()
    process.standardError = errors
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    return (process, errors)
  }

  private func wait(for path: String, _ process: Process) {
    while process.isRunning, !FileManager.default.fileExists(atPath: path) { usleep(500) }
  }

  @Test func aSecondRecordingIsRefusedWithTheFirstOnesNumber() throws {
    try withSmallModel { folder, _ in
      let words = [
        "record", "induction", "--model", "model", "--examples", "4000", "--position", "each", "--output",
        "r.h5",
      ]
      let (first, _) = try start(words, folder: folder)
      wait(for: folder + "/r.h5.partial", first)
      usleep(20_000)
      // The first stands still, so that it is not done before the others have looked.
      let identifier = first.processIdentifier
      kill(identifier, SIGSTOP)
      defer { kill(identifier, SIGCONT) }
      let second = try headlamp(words, folder: folder)
      let readers = try headlamp(["train", "r.h5", "--output", "a.safetensors"], folder: folder)
      kill(identifier, SIGCONT)
      first.waitUntilExit()
      #expect(first.terminationStatus == 0)
      #expect(second.exitCode == 1)
      #expect(
        second.errors
          == "headlamp: r.h5 is being written by another process, \(identifier); wait for its end or choose another output\n"
      )
      #expect(readers.exitCode == 1 && readers.errors.contains("of 8000 examples were recorded"))
      #expect(try headlamp(["inspect", "r.h5"], folder: folder).exitCode == 0)
    }
  }

  @Test func recordingsThatStartTogetherNeverMix() throws {
    try withSmallModel { folder, _ in
      let words = [
        "record", "induction", "--model", "model", "--examples", "200", "--position", "each", "--output",
      ]
      #expect(try headlamp(words + ["whole.h5"], folder: folder).exitCode == 0)
      let whole = try Data(contentsOf: URL(fileURLWithPath: folder + "/whole.h5"))
      for _ in 0..<5 {
        let running = try (0..<4).map { _ in try start(words + ["r.h5"], folder: folder) }
        for (process, _) in running { process.waitUntilExit() }
        let codes = running.map(\.process.terminationStatus)
        #expect(codes.contains(0) && codes.allSatisfy { $0 == 0 || $0 == 1 }, "\(codes)")
        #expect(try Data(contentsOf: URL(fileURLWithPath: folder + "/r.h5")) == whole)
        #expect(!FileManager.default.fileExists(atPath: folder + "/r.h5.partial"))
        try FileManager.default.removeItem(atPath: folder + "/r.h5")
      }
    }
  }

  @Test func oneProcessAtATimeInAFolder() throws {
    try withTemporaryFolder { folder in
      let train = [
        "train-model", "induction", "--output", "small", "--layers", "2", "--heads", "4", "--d-model", "32",
        "--steps", "100000", "--batch", "8", "--pairs", "200",
      ]
      let (first, _) = try start(train, folder: folder)
      wait(for: folder + "/small", first)
      usleep(100_000)
      for words in [train, ["explain", "example", "--output", "small"]] {
        let second = try headlamp(words, folder: folder)
        #expect(second.exitCode == 1)
        #expect(
          second.errors
            == "headlamp: small is being written by another process, \(first.processIdentifier); "
            + "wait for its end or choose another output\n")
      }
      kill(first.processIdentifier, SIGKILL)
      first.waitUntilExit()
      // The lock goes with the process that held it.
      #expect(try headlamp(["explain", "example", "--output", "small"], folder: folder).exitCode == 0)
    }
  }

  @Test func aReaderSeesTheOldResultOrTheNew() throws {
    try withTemporaryFolder { folder in
      let fit = ["fit", "example", "--black-box", "boosted", "--folds", "0", "--output", "m.json", "--seed"]
      for seed in ["0", "1"] { #expect(try headlamp(fit + [seed], folder: folder).exitCode == 0) }
      let (writer, _) = try start(
        ["fit", "example", "--black-box", "extra-trees", "--folds", "0", "--output", "m.json"], folder: folder
      )
      var reads = 0
      while writer.isRunning || reads < 3 {
        let result = try headlamp(
          ["explain", "example", "--black-box", "m.json", "--row", "1"], folder: folder)
        #expect(result.exitCode == 0, "\(result.errors)")
        reads += 1
      }
    }
  }
}
