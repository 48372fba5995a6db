// What commands say and leave unsaid: JSON, quiet, interruption.

import Foundation
import TestSupport
import Testing

@Suite struct TerminalTests {
  private func object(_ text: String) throws -> Any {
    try JSONSerialization.jsonObject(with: Data(text.utf8))
  }

  @Test func everyCommandCanAnswerInJSON() throws {
    let methods = try headlamp(["methods", "--json"])
    let names = try #require(try object(methods.output) as? [[String: Any]]).compactMap {
      $0["name"] as? String
    }
    #expect(methods.exitCode == 0 && names.contains("eap-ig-inputs"))
    let models = try headlamp(["models", "--json"])
    let families = try #require(try object(models.output) as? [String: Any])["families"] as? [[String: Any]]
    #expect(families?.contains { $0["model_type"] as? String == "gpt2" } == true)
    // A command without figures of its own gives the lines it would print.
    let inspected = try headlamp(["inspect", "ioi", "--json"])
    let lines = try #require(try object(inspected.output) as? [String: Any])["lines"] as? [String]
    #expect(lines?.isEmpty == false)
  }

  @Test func resultsInAFolderAreAnsweredByTheirSummary() throws {
    try withSmallModel { folder, model in
      let words = ["attribute", "induction", "--model", model, "--examples", "8", "--method", "atp"]
      let result = try headlamp(words + ["--output", folder + "/a", "--json", "--quiet"])
      #expect(result.exitCode == 0 && result.errors.isEmpty)
      let printed = try #require(try object(result.output) as? NSDictionary)
      let saved = try object(String(contentsOfFile: folder + "/a/summary.json", encoding: .utf8))
      #expect(printed.isEqual(to: try #require(saved as? [AnyHashable: Any])))
    }
  }

  @Test func quietLeavesOutNotesButNotProblems() throws {
    try withSmallModel { folder, model in
      let words = ["record", "induction", "--model", model, "--examples", "4", "--output", folder + "/r.h5"]
      let loud = try headlamp(words)
      #expect(loud.exitCode == 0 && loud.errors.contains("prompts recorded in"))
      let quiet = try headlamp(words + ["--quiet"])
      #expect(quiet.exitCode == 0 && quiet.errors.isEmpty)
      let problem = try headlamp(["record", "no-such-task", "--quiet", "--output", folder + "/s.h5"])
      #expect(problem.exitCode != 0 && problem.errors.hasPrefix("headlamp: "))
    }
  }

  @Test(arguments: [Int32(SIGINT), Int32(SIGTERM)])
  func anInterruptedCommandSaysWhatIsLeft(signal: Int32) throws {
    try withSmallModel { folder, model in
      let process = Process()
      process.executableURL = builtCommand
      process.arguments = [
        "attribute", "induction", "--model", model, "--examples", "2000", "--method", "eap-ig-inputs",
        "--steps",
        "200", "--output", folder + "/a",
      ]
      let errors = Pipe()
      process.standardError = errors
      process.standardOutput = FileHandle.nullDevice
      try process.run()
      while process.isRunning, !FileManager.default.fileExists(atPath: folder + "/a") { usleep(1000) }
      kill(process.processIdentifier, signal)
      process.waitUntilExit()
      let text = String(decoding: try errors.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
      #expect(process.terminationReason == .exit && process.terminationStatus == 128 + signal, "\(text)")
      #expect(
        text.hasSuffix(
          "headlamp: interrupted; files that were written are whole, others are missing; run the same command again\n"
        ),
        "\(text)")
      #expect(!FileManager.default.fileExists(atPath: folder + "/a/nodes.csv"))
    }
  }

  @Test func anInterruptedComparisonSaysHowToGoOn() throws {
    try withSmallModel { folder, model in
      let process = Process()
      process.executableURL = builtCommand
      process.arguments = [
        "compare", "induction", "--model", model, "--examples", "200", "--judging-examples", "500",
        "--output",
        folder + "/c",
      ]
      let errors = Pipe()
      process.standardError = errors
      process.standardOutput = FileHandle.nullDevice
      try process.run()
      while process.isRunning, !FileManager.default.fileExists(atPath: folder + "/c/cells") { usleep(1000) }
      kill(process.processIdentifier, SIGINT)
      process.waitUntilExit()
      let text = String(decoding: try errors.fileHandleForReading.readToEnd() ?? Data(), as: UTF8.self)
      #expect(process.terminationStatus == 130, "\(text)")
      #expect(text.hasSuffix("kept, and the same command goes on from them\n"), "\(text)")
    }
  }
}
