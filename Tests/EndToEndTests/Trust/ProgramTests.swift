// A program as black box: no shell unless asked for, nothing left running, and no answer taken that is none.

import Foundation
import TestSupport
import Testing

@Suite struct ProgramTests {
  private func run(_ words: [String]) throws -> CommandResult {
    try ExplainInputTests.run(["explain", "t.csv", "--row", "3"] + words).result
  }

  @Test func aShellIsOnlyUsedWhereAskedFor() throws {
    for line in ["cat > /dev/null", "a | b", "echo $HOME", "a; b", "touch x &"] {
      let result = try run(["--black-box-command", line])
      #expect(result.exitCode == 2)
      #expect(result.errors.contains("which only a shell understands: quote it, or add --shell"))
    }
    let quoted = try run(["--black-box-command", "awk -F, 'NR > 1 { print ($1 > 4 ? 0.9 : 0.2) }'"])
    #expect(quoted.exitCode == 0, "\(quoted.errors)")
    let shell = try run([
      "--shell", "--black-box-command", "tail -n +2 | awk -F, '{ print ($1 > 4 ? 0.9 : 0.2) }'",
    ])
    #expect(shell.exitCode == 0, "\(shell.errors)")
    let absent = try run(["--black-box-command", "no-such-program --flag"])
    #expect(absent.exitCode == 1)
    #expect(
      absent.errors
        == "headlamp: 'no-such-program --flag' could not be run (exit code 127); its last words: No such file or directory\n"
    )
  }

  @Test(arguments: [
    ("print \"nan\"", "holds 'nan' where a number is needed"),
    ("print \"inf\"", "holds 'inf' where a number"),
    ("print -0.5", "holds no probabilities"), ("print \"0.7,0.7\"", "they add up to 1.4"),
    ("print 1.5", "holds no probabilities"),
    ("while (1) print 0.5", "wrote far more than probabilities take"),
    ("print \"0.5,0.2,0.3\"", "has 3 columns where 2 are needed"),
  ])
  func answersThatAreNoneAreRefused(answer: String, sentence: String) throws {
    let result = try run(["--black-box-command", "awk 'NR > 1 { \(answer) }'"])
    #expect(result.exitCode == 1)
    #expect(
      result.errors.contains(sentence) && result.errors.split(separator: "\n").count == 1, "\(result.errors)")
  }

  private func isRunning(_ marker: String) -> Bool {
    let found = try? ExhaustionTests.bash("pgrep -f '^sleep \(marker)' > /dev/null", folder: "/")
    return found?.code == 0
  }

  @Test func nothingIsLeftRunning() throws {
    let left = try run([
      "--shell", "--black-box-command",
      "sleep 7531 & awk -F, 'NR > 1 { print ($1 > 4 ? 0.9 : 0.2) }'",
    ])
    #expect(left.exitCode == 0, "\(left.errors)")
    #expect(!isRunning("7531"))
    let slow = try run(["--shell", "--timeout", "0.5", "--black-box-command", "sleep 7532 & sleep 7532"])
    #expect(slow.exitCode == 1)
    #expect(!isRunning("7532"))
  }

  @Test func aSignalToTheCommandEndsTheProgramToo() throws {
    try withTemporaryFolder { folder in
      try ExplainInputTests.table.write(toFile: folder + "/t.csv", atomically: true, encoding: .utf8)
      for signal in [SIGINT, SIGTERM] {
        let process = Process()
        process.executableURL = builtCommand
        process.arguments = ["explain", "t.csv", "--black-box-command", "sleep 7533"]
        process.currentDirectoryURL = URL(fileURLWithPath: folder)
        process.standardError = FileHandle.nullDevice
        try process.run()
        while process.isRunning, !isRunning("7533") { usleep(5_000) }
        try #require(process.isRunning)
        kill(process.processIdentifier, signal)
        process.waitUntilExit()
        #expect(process.terminationReason == .uncaughtSignal && process.terminationStatus == signal)
        usleep(100_000)
        #expect(!isRunning("7533"))
      }
    }
  }
}
