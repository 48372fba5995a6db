// Models and prompts as people have them: caches, files in folders, tables from other tools, standard input.

import Foundation
import TestSupport
import Testing

@Suite struct BroughtFilesTests {
  private static let golden = packageFolder + "/Tests/TransformersTests/Golden/"

  /// A model as Hugging Face's cache keeps it.
  private func withCache(_ body: (_ cache: String, _ snapshot: String) throws -> Void) throws {
    try withTemporaryFolder { folder in
      let cache = folder + "/models--some--model"
      let snapshot = cache + "/snapshots/abc"
      let files = FileManager.default
      try files.createDirectory(atPath: snapshot, withIntermediateDirectories: true)
      try files.createDirectory(atPath: cache + "/refs", withIntermediateDirectories: true)
      try "abc".write(toFile: cache + "/refs/main", atomically: true, encoding: .utf8)
      for file in ["config.json", "model.safetensors"] {
        try files.copyItem(atPath: Self.golden + "more/gemma/" + file, toPath: snapshot + "/" + file)
      }
      try body(cache, snapshot)
    }
  }

  @Test func aModelOpensByAnyOfItsPlaces() throws {
    try withCache { cache, snapshot in
      let reference = Self.golden + "more/gemma/expected.safetensors"
      for path in [cache, snapshot, snapshot + "/model.safetensors", snapshot + "/config.json"] {
        let result = try headlamp(["verify", path, "--against", reference])
        #expect(result.exitCode == 0, "\(path): \(result.errors)")
      }
      let inspected = try headlamp(["inspect", cache])
      #expect(inspected.exitCode == 0 && inspected.output.contains("family         gemma"))
    }
    let gguf = try headlamp(["inspect", Self.golden + "gguf/llama.gguf"])
    #expect(gguf.exitCode == 0 && gguf.output.contains("family         llama"))
    #expect(gguf.output.contains("Q8_0"))
  }

  @Test func incompleteCachesAreNamed() throws {
    try withCache { cache, snapshot in
      try "gone".write(toFile: cache + "/refs/main", atomically: true, encoding: .utf8)
      let gone = try headlamp(["inspect", cache])
      #expect(
        gone.exitCode == 1 && gone.errors.contains("refs/main names the snapshot 'gone', which is not there"))
      try FileManager.default.removeItem(atPath: cache + "/refs/main")
      try FileManager.default.copyItem(atPath: snapshot, toPath: cache + "/snapshots/def")
      let two = try headlamp(["inspect", cache])
      #expect(two.exitCode == 1 && two.errors.contains("2 snapshots and no refs/main"))
    }
  }

  @Test func aFolderOfAnotherKindIsDescribed() throws {
    try withTemporaryFolder { folder in
      try "x".write(toFile: folder + "/notes.txt", atomically: true, encoding: .utf8)
      let result = try headlamp(["inspect", folder])
      #expect(result.exitCode == 1)
      #expect(
        result.errors
          == "headlamp: \(folder) is a folder with notes.txt: no config.json and no task.json, so neither a model folder "
          + "nor a task\n")
    }
  }

  @Test func modelsAreListedAndTheREADMEHasThemAll() throws {
    let result = try headlamp(["models"])
    #expect(result.exitCode == 0)
    let readme = try String(contentsOfFile: packageFolder + "/README.md", encoding: .utf8)
      .split(whereSeparator: \.isWhitespace).joined(separator: " ")
    let lines = result.output.split(separator: "\n").drop { $0 != "families read" }.dropFirst()
      .prefix { $0.hasPrefix("  ") }
    #expect(lines.count > 30)
    for line in lines {
      let title = line.dropFirst(16).split(separator: ";")[0].split(separator: "(")[0]
        .trimmingCharacters(in: .whitespaces)
      if title.hasPrefix("the project's own") { continue }
      #expect(readme.contains(title), "README lacks \(title)")
    }
  }

  /// A table with a byte-order mark, pandas' index and clean and corrupted prompts: shown, then run.
  @Test func aTableOfPromptsIsCheckedAndRun() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/prompts.csv"
      let rows = [
        ",clean,corrupted,correct,incorrect",
        "0,Before Chris and Mark came home Chris gave it to,Before Chris and Mark came home Scott gave it to, Mark, Chris",
        "1,After Amy and Anna came home Anna gave it to,After Amy and Anna came home Fred gave it to, Amy, Anna",
        "2,Amy went,Amy went home, Amy, Anna",
      ]
      try ("\u{feff}" + rows.joined(separator: "\r\n")).write(toFile: path, atomically: true, encoding: .utf8)
      let check = try headlamp(["check", path])
      #expect(check.exitCode == 0, "\(check.errors)")
      for text in [
        "a table, 6 prompts", "right: 'Mark'  wrong: 'Chris'", "3 pairs, of which 2 align",
        "pair 4: prompts 4 and 5 (lines 4 and 4) have 3 and 4 tokens; they first differ at token 3, the end and home",
        "--replace pair can use 2 of 3 positives",
      ] { #expect(check.output.contains(text), "\(text) in \(check.output)") }
      let scored = try headlamp(["check", path, "--scores", "--brief"])
      #expect(scored.exitCode == 0)

      let sound = rows.dropLast().joined(separator: "\n")
      let run = try headlamp(
        ["patch", "-", "--of", "layers"], input: sound)
      #expect(run.exitCode == 0, "\(run.errors)")
      // So few prompts that the usual number of training examples does not fit.
      try sound.write(toFile: path, atomically: true, encoding: .utf8)
      let found = try headlamp(["discover", path, "--protocol", "change", "--output", folder + "/out"])
      #expect(found.exitCode == 0, "\(found.errors)")
      #expect(found.errors.contains("4 prompts: 2 of them train, in place of 10"))
    }
  }

  @Test func aCheckNamesWhatCannotBeUsed() throws {
    let lines = """
      {"prompt": "Amy went", "label": true, "answer": " Amy", "wrong": " Amy"}
      {"prompt": "Amy went", "label": "negative"}
      """
    let result = try headlamp(["check", "-"], input: lines)
    #expect(result.exitCode == 1)
    #expect(result.errors == "headlamp: 1 of 2 prompts of standard input cannot be used\n")
    #expect(
      result.output.contains("cannot be used: prompt 0 of standard input: a right answer is a wrong one too"))
  }

  /// Answers of several tokens: shown with the first token in which they differ, scored by their sums, and used by every
  /// command that has a metric.
  @Test func answersOfSeveralTokensAreScoredByTheirSums() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/prompts.csv"
      let rows = [
        "clean,corrupted,correct,incorrect",
        "Before Chris and Mark came home Chris gave it to,Before Chris and Mark came home Scott gave it to, Mark went, Chris",
        "After Amy and Anna came home Anna gave it to,After Amy and Anna came home Fred gave it to, Amy, Anna went home",
      ]
      try rows.joined(separator: "\n").write(toFile: path, atomically: true, encoding: .utf8)
      let check = try headlamp(["check", path, "--scores"])
      #expect(check.exitCode == 0, "\(check.errors)")
      #expect(check.output.contains("the first to differ, token 0 of Mark|went, Chris, counted from 0"))
      func sums(_ kind: String) -> [Double] {
        check.output.split(separator: "\n").filter { $0.hasPrefix("  \(kind) ") }.compactMap {
          Double($0.split(separator: " ").last ?? "")
        }
      }
      // Each row stands twice, its corrupted prompt second.
      let (right, wrong) = (sums("right"), sums("wrong"))
      #expect(right.count == 4 && wrong.count == 4)
      let mean = (right[0] - wrong[0] + right[2] - wrong[2]) / 2
      for command in [
        ["patch", path, "--of", "layers"], ["attribute", path, "--method", "atp"],
        ["attribute", path, "--method", "eap"], ["ablate", path],
      ] {
        let run = try headlamp(command)
        #expect(run.exitCode == 0, "\(run.errors)")
        #expect(run.errors.contains("scored by the sum of their log-probabilities"))
        let words = run.output.split { !"0123456789.-".contains($0) }.compactMap { Double($0) }
        #expect(words.contains { abs($0 - mean) < 0.003 }, "\(mean) in \(run.output.prefix(300))")
      }
    }
  }

  /// A masked model's answer stands at its mask.
  @Test func anEncoderIsAskedAtItsMask() throws {
    let model = Self.golden + "more/bert"
    let prompts = #"{"tokens": [3, 4, 5], "label": 1, "positions": {"answer": 1}, "answer": 6, "wrong": 7}"#
    let result = try headlamp(["check", "-", "--model", model, "--scores"], input: prompts)
    #expect(result.exitCode == 0, "\(result.errors)")
    // Attention has its kinds; contributions to the answer have no meaning there.
    let heads = try headlamp(["heads", "-", "--model", model], input: prompts)
    #expect(heads.exitCode == 0 && heads.output.contains("previous"), "\(heads.errors)")
    #expect(heads.errors.contains("direct logit attribution takes"))
    let long = try headlamp(
      ["check", "-", "--model", model],
      input: #"{"tokens": [3, 4, 5], "label": 1, "positions": {"answer": 1}, "answer": [[6, 7]], "wrong": 8}"#
    )
    #expect(long.exitCode == 1 && long.output.contains("can follow its end alone"), "\(long.output)")
    let edges = try headlamp(
      ["attribute", "-", "--model", model, "--method", "eap", "--replace", "zero"], input: prompts)
    #expect(edges.exitCode != 0 && edges.errors.contains("this model normalises the stream itself"))
  }
}
