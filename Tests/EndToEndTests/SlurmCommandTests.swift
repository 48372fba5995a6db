// The script that 'slurm' writes: a shell takes it, its parts and its merge do the work, and misuse is one line. Under a
// real Slurm it is run by Tests/Cluster/slurm.

import Foundation
import TestSupport
import Testing

@Suite struct SlurmCommandTests {
  /// Runs a script as the system's shell does.
  private func shell(_ words: [String], task: String = "") throws -> Int32 {
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/sh")
    process.arguments = words
    process.environment = ProcessInfo.processInfo.environment.merging(["SLURM_ARRAY_TASK_ID": task]) { $1 }
    process.standardOutput = FileHandle.nullDevice
    process.standardError = FileHandle.nullDevice
    try process.run()
    process.waitUntilExit()
    return process.terminationStatus
  }

  @Test func partsAndMergeDoTheWork() throws {
    try withSmallModel { folder, model in
      // Blanks and quotes in names come through the shell as they are.
      let odd = folder + "/it's a $HOME \"folder\""
      try FileManager.default.moveItem(atPath: model, toPath: odd)
      let words = ["record", "induction", "--model", odd, "--examples", "6"]
      let script = folder + "/job.sh"
      let written = try headlamp(
        ["slurm"] + words + [
          "--output", "r.h5", "--nodes", "3", "--script", script, "--sbatch", "--time=1:00",
        ],
        folder: folder)
      try #require(written.exitCode == 0, "\(written.errors)")
      let text = try String(contentsOfFile: script, encoding: .utf8)
      #expect(text.contains("--array=1-3 --requeue") && text.contains("--dependency=afterok:"))
      #expect(text.contains("--time=1:00"))
      #expect(try shell(["-n", script]) == 0)
      try FileManager.default.createDirectory(
        atPath: folder + "/r.h5.parts", withIntermediateDirectories: true)
      #expect(try shell([script, "merge"]) != 0)
      for task in 1...3 { #expect(try shell([script, "part"], task: "\(task)") == 0) }
      #expect(try shell([script, "merge"]) == 0)
      let whole = try headlamp(words + ["--output", folder + "/whole.h5"])
      #expect(whole.exitCode == 0, "\(whole.errors)")
      let (one, merged) = (
        try headlamp(["inspect", folder + "/whole.h5"]), try headlamp(["inspect", folder + "/r.h5"])
      )
      #expect(one.output == merged.output, "\(merged.errors)")
      #expect(try shell([script, "other"]) == 2)
    }
  }

  @Test(arguments: [
    (["slurm"], "COMMAND is missing"),
    (["slurm", "discover", "ioi", "--nodes", "2"], "'discover' does not work in parts; record, "),
    (["slurm", "record", "ioi", "--output", "x.h5"], "--nodes is needed here"),
    (["slurm", "record", "ioi", "--nodes", "2"], "--output is needed here"),
    (
      ["slurm", "record", "ioi", "--output", "x.h5", "--nodes", "0"], "a number of parts is from 1 to 1000000"
    ),
    (
      ["slurm", "record", "ioi", "--output", "x.h5", "--nodes", "2", "--shard", "1/2"],
      "--shard is given to each part"
    ),
    (["slurm", "record", "ioi", "--outputs", "x.h5", "--nodes", "2"], "did you mean '--output'?"),
    (["slurm", "record", "--output", "x.h5", "--nodes", "2"], "TASK is missing"),
    (
      ["slurm", "record", "-", "--output", "x.h5", "--nodes", "2"], "standard input cannot be read by several"
    ),
    (
      ["slurm", "record", "ioi", "--output", "x.h5", "--nodes", "2", "--sbatch", "cpu; rm"],
      "--sbatch wants options of sbatch"
    ),
  ])
  func misuseIsOneLine(words: [String], sentence: String) throws {
    try withTemporaryFolder { folder in
      let result = try headlamp(words, folder: folder)
      #expect(result.exitCode == 2, "\(result.errors)")
      #expect(result.errors.contains(sentence), "\(result.errors)")
      #expect(result.errors.split(separator: "\n").count == 1, "\(result.errors)")
      #expect(try FileManager.default.contentsOfDirectory(atPath: folder).isEmpty)
    }
  }

  @Test func aSlurmThatIsNotThereIsSaid() throws {
    try withTemporaryFolder { folder in
      let result = try headlamp(
        ["slurm", "record", "ioi", "--output", "x.h5", "--nodes", "2", "--submit"],
        environment: ["PATH": "/nowhere"], folder: folder)
      #expect(result.exitCode == 1)
      #expect(
        result.errors.hasPrefix("headlamp: x.h5.slurm.sh was written and not submitted: "), "\(result.errors)"
      )
      #expect(result.errors.split(separator: "\n").count == 1, "\(result.errors)")
    }
  }
}
