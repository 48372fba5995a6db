// A recording that is killed, asked to stop, or out of room: refused as unfinished, then finished by the same command.

import Foundation
import TestSupport
import Testing

@Suite struct InterruptionTests {
  /// A command line that records long enough to be interrupted.
  private func words(_ model: String, _ path: String) -> [String] {
    [
      "record", "induction", "--model", model, "--examples", "3000", "--position", "each", "--output", path,
    ]
  }

  /// Starts a recording and sends a signal as soon as its partial file is there.
  private func interrupt(_ words: [String], partial: String, signal: Int32) throws -> (Int32, String) {
    let process = Process()
    process.executableURL = builtCommand
    process.arguments = words
    let errors = Pipe()
    process.standardError = errors
    try process.run()
    while process.isRunning, !FileManager.default.fileExists(atPath: partial) { usleep(200) }
    kill(process.processIdentifier, signal)
    process.waitUntilExit()
    let text = String(decoding: try errors.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    return (process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus, text)
  }

  @Test func whatWasKilledGoesOnAndGivesTheSameBytes() throws {
    try withSmallModel { folder, model in
      let (path, whole) = (folder + "/killed.h5", folder + "/whole.h5")
      #expect(try headlamp(words(model, whole)).exitCode == 0)
      for _ in 0..<3 {
        let (code, _) = try interrupt(words(model, path), partial: path + ".partial", signal: SIGKILL)
        try #require(code == -SIGKILL)
        for read in [["train", path, "--output", folder + "/a"], ["inspect", path + ".partial"]] {
          let result = try headlamp(read)
          #expect(result.exitCode == 1)
          #expect(
            result.errors.contains("of 6000 examples were recorded")
              || result.errors.contains("No such file or directory"))
        }
        #expect(!FileManager.default.fileExists(atPath: path))
      }
      let refused = try headlamp(["train", path, "--output", folder + "/a"])
      #expect(refused.errors.hasPrefix("headlamp: \(path) is unfinished: "))
      #expect(refused.errors.hasSuffix("the same 'headlamp record' command goes on with it\n"))
      let other = try headlamp(words(model, path) + ["--seed", "5"])
      #expect(other.exitCode == 1)
      #expect(other.errors.contains("is an unfinished recording of something else: its seed is '0', not '5'"))
      #expect(try headlamp(words(model, path)).exitCode == 0)
      #expect(FileManager.default.contentsEqual(atPath: path, andPath: whole))
      #expect(!FileManager.default.fileExists(atPath: path + ".partial"))
    }
  }

  @Test func aRequestToStopIsAnswered() throws {
    try withSmallModel { folder, model in
      let path = folder + "/stopped.h5"
      let (code, errors) = try interrupt(words(model, path), partial: path + ".partial", signal: SIGINT)
      #expect(code == 130)
      #expect(errors.hasPrefix("headlamp: stopped after "))
      #expect(errors.hasSuffix(" of 6000 prompts of \(path); the same command goes on from there\n"))
      #expect(try headlamp(words(model, path)).exitCode == 0)
    }
  }

  /// Runs the command with a limit on the size of files it may write, in kilobytes, as on a disk that is nearly full.
  private static func limited(_ kilobytes: Int, _ words: [String], folder: String) throws -> (Int32, String) {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/bash")
    process.arguments =
      ["-c", "ulimit -f \(kilobytes) && exec \"$0\" \"$@\"", builtCommand.path] + words
    process.currentDirectoryURL = URL(fileURLWithPath: folder)
    let errors = Pipe()
    process.standardError = errors
    process.standardOutput = FileHandle.nullDevice
    try process.run()
    let text = String(decoding: try errors.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
    process.waitUntilExit()
    return (process.terminationReason == .exit ? process.terminationStatus : -process.terminationStatus, text)
  }

  /// Programs under the thread sanitizer do not.
  private static let runsUnderALimitOnFiles = (try? limited(1, ["tasks"], folder: "/"))?.0 == 0

  @Test(
    .enabled(
      if: runsUnderALimitOnFiles, "commands of this build do not run under a limit on the size of files"))
  func anOutputWithoutRoomIsAnErrorAndLosesNothing() throws {
    try withSmallModel { folder, model in
      let record = ["record", "induction", "--model", model, "--examples", "600", "--position", "each"]
      #expect(try headlamp(record + ["--output", "whole.h5"], folder: folder).exitCode == 0)
      // The file reaches its full size when it is made, so that it ends there.
      let (code, errors) = try Self.limited(2000, record + ["--output", "r.h5"], folder: folder)
      #expect(code == 1)
      #expect(errors == "headlamp: cannot write r.h5: File too large\n")
      #expect(!FileManager.default.fileExists(atPath: folder + "/r.h5"))
      #expect(try headlamp(record + ["--output", "r.h5"], folder: folder).exitCode == 0)
      #expect(FileManager.default.contentsEqual(atPath: folder + "/r.h5", andPath: folder + "/whole.h5"))

      for (limit, words) in [
        (1, ["train", "r.h5", "--epochs", "5", "--output", "out"]),
        (1, ["generate", "induction", "--model", model, "--output", "out"]),
      ] {
        let (code, errors) = try Self.limited(limit, words, folder: folder)
        #expect(code == 1)
        #expect(errors.hasSuffix("headlamp: cannot write out: File too large\n"))
      }
      let names = try FileManager.default.contentsOfDirectory(atPath: folder)
      #expect(names.sorted() == ["model", "r.h5", "whole.h5"])

      let full = Process()
      full.executableURL = builtCommand
      full.arguments = ["tasks"]
      full.standardOutput = FileHandle(forWritingAtPath: "/dev/full")
      full.standardError = FileHandle.nullDevice
      try full.run()
      full.waitUntilExit()
      #expect(full.terminationStatus == 1)
    }
  }
}
