// headlamp normality, and the line of discover and evaluate about prompts that are unlike others.

import Foundation
import TestSupport
import Testing

@Suite struct NormalityCommandTests {
  /// Prompts of the task as lines, with the model that they are for.
  private func withPrompts(
    _ body: (_ folder: String, _ model: String, _ lines: [Substring]) throws -> Void
  ) throws {
    try withSmallModel { folder, model in
      let made = try headlamp(["generate", "induction", "--model", model, "--examples", "60"])
      try #require(made.exitCode == 0, "\(made.errors)")
      try body(folder, model, made.output.split(separator: "\n"))
    }
  }

  private func write(_ lines: [Substring], to path: String) throws {
    try (lines.joined(separator: "\n") + "\n").write(toFile: path, atomically: true, encoding: .utf8)
  }

  /// A line whose prompt is one of its words all over.
  private func monotonous(_ line: Substring, _ place: Int) throws -> Substring {
    let found = try #require(line.firstMatch(of: /"prompt": "([^"]*)"/))
    let words = found.1.split(separator: " ")
    let text = [Substring](repeating: words[place], count: words.count).joined(separator: " ")
    return line.replacing(found.0, with: "\"prompt\": \"\(text)\"")
  }

  @Test func whatIsNormalIsFittedAndScored() throws {
    try withPrompts { folder, model, lines in
      try write(lines, to: folder + "/p.jsonl")
      try write(lines.map { try monotonous($0, 0) }, to: folder + "/q.jsonl")
      for name in ["p", "q"] {
        let made = try headlamp([
          "record", folder + "/\(name).jsonl", "--model", model, "--position", "last", "--output",
          folder + "/\(name).h5",
        ])
        try #require(made.exitCode == 0, "\(made.errors)")
      }
      let file = folder + "/n.safetensors"
      let fitted = try headlamp(["normality", "fit", folder + "/p.h5", "--output", file])
      try #require(fitted.exitCode == 0, "\(fitted.errors)")
      #expect(fitted.output.contains("2 places of 120 prompts at last: 64 components"))
      #expect(fitted.output.contains("pass the working point for 1 %"))
      let inspected = try headlamp(["inspect", file])
      #expect(
        inspected.exitCode == 0 && inspected.output.contains("components     64"), "\(inspected.errors)")
      let again = try headlamp(["normality", "fit", folder + "/p.h5", "--output", folder + "/m.safetensors"])
      #expect(again.exitCode == 0)
      let bytes = try Data(contentsOf: URL(fileURLWithPath: file))
      #expect(try bytes == Data(contentsOf: URL(fileURLWithPath: folder + "/m.safetensors")))
      let scored = try headlamp([
        "normality", "score", folder + "/p.h5", "--normality", file, "--odd", folder + "/q.h5", "--output",
        folder + "/s",
      ])
      try #require(scored.exitCode == 0, "\(scored.errors)")
      let area = try #require(scored.output.firstMatch(of: /AUROC (\d\.\d+) of the 120 prompts/))
      #expect((Double(area.1) ?? 0) > 0.95, "\(scored.output)")
      let table = try String(contentsOfFile: folder + "/s/scores.csv", encoding: .utf8).split(separator: "\n")
      #expect(
        table[0] == "recording,prompt,label,score,p_value,odd,oddest_place,text" && table.count == 1 + 240)
      #expect(FileManager.default.fileExists(atPath: folder + "/s/report.html"))
      let json = try headlamp(["normality", "score", folder + "/p.h5", "--normality", file, "--json"])
      #expect(
        json.exitCode == 0 && json.output.contains("\"rate\": 0.01")
          && json.output.contains("\"odd_prompts\""))
      try misuse(folder, model)
    }
  }

  private func misuse(_ folder: String, _ model: String) throws {
    let (path, file) = (folder + "/p.h5", folder + "/n.safetensors")
    let cases: [(words: [String], code: Int32, message: String)] = [
      (["fti", path], 2, "the action is fit or score, not 'fti'; did you mean 'fit'?"),
      (["fit"], 2, "RECORDING is missing"),
      (["fit", path], 2, "--output is needed here"),
      (
        ["fit", path, "--output", file + "2", "--normality", file], 2,
        "--normality goes with 'normality score'"
      ),
      (
        ["fit", path, "--output", file + "2", "--layer", "2"], 2,
        "--layer is 2; the recording has layers 0 to 1"
      ),
      (["fit", path, "--output", file + "2", "--least", "0"], 2, "--least is 0; allowed is 1 to 32"),
      (["score", path], 2, "--normality is needed here"),
      (
        ["score", path, "--normality", file, "--rate", "0"], 2, "--rate is 0.0; allowed is above 0 up to 0.5"
      ),
      (["score", path, "--normality", file, "--least", "3"], 2, "--least goes with 'normality fit'"),
      (["score", path, "--normality", file, "--no-report"], 2, "--no-report goes with --output"),
      (["score", path, "--normality", path], 1, "\(path)"),
      (
        ["score", path, "--normality", model + "/model.safetensors"], 1,
        "\(model)/model.safetensors holds no normality model made by 'headlamp normality fit': its header names another format"
      ),
    ]
    for (words, code, message) in cases {
      let result = try headlamp(["normality"] + words)
      #expect(result.exitCode == code, "\(words): \(result.errors)\(result.output)")
      #expect(result.errors.hasPrefix("headlamp: " + message), "\(words): \(result.errors)")
      #expect(result.errors.split(separator: "\n").count == 1 && result.output.isEmpty)
      #expect(!FileManager.default.fileExists(atPath: file + "2"))
    }
    // A recording of another position, and of too few prompts.
    let mean = try headlamp([
      "record", folder + "/p.jsonl", "--model", model, "--position", "mean", "--output", folder + "/mean.h5",
    ])
    #expect(mean.exitCode == 0)
    let other = try headlamp(["normality", "score", folder + "/mean.h5", "--normality", file])
    #expect(
      other.exitCode == 1
        && other.errors
          == "headlamp: positions differ: 'last' and 'mean'; both must be of one model and one kind of recording\n"
    )
    let few = try headlamp([
      "record", "induction", "--model", model, "--examples", "6", "--output", folder + "/few.h5",
    ])
    #expect(few.exitCode == 0)
    let refused = try headlamp(["normality", "fit", folder + "/few.h5", "--output", file + "2"])
    #expect(
      refused.exitCode == 1
        && refused.errors == "headlamp: \(folder)/few.h5 has 12 prompts; 20 are needed\n", "\(refused.errors)"
    )
  }

  /// Calls `body` with a folder that holds p.jsonl, 250 pairs of the bundled task ioi, and q.jsonl, where the pair of lines
  /// 40 and 41 (from 0) is one of another task.
  private func withOddPair(_ body: (_ folder: String) throws -> Void) throws {
    try withTemporaryFolder { folder in
      func lines(_ words: [String]) throws -> [Substring] {
        let made = try headlamp(["generate"] + words)
        try #require(made.exitCode == 0, "\(made.errors)")
        return made.output.split(separator: "\n")
      }
      var prompts = try lines(["ioi"])
      try write(prompts, to: folder + "/p.jsonl")
      let other = try lines(["docstring", "--examples", "1"]).map {
        $0.replacing("\"pair\": 0", with: "\"pair\": 20")
      }
      prompts.replaceSubrange(40...41, with: other)
      try write(prompts, to: folder + "/q.jsonl")
      try body(folder)
    }
  }

  @Test(arguments: ["default", "change"]) func discoverNamesPromptsThatAreUnlikeOthers(name: String) throws {
    try withOddPair { folder in
      var words = ["--protocol", name, "--epochs", "20", "--no-report"]
      if name == "default" {
        words += [
          "--dictionaries", "1", "--figure-examples", "0", "--ablation-examples", "0",
          "--attribution-examples", "8",
        ]
      }
      let plain = try headlamp(["discover", folder + "/p.jsonl"] + words + ["--output", folder + "/p"])
      try #require(plain.exitCode == 0, "\(plain.errors)")
      #expect(!plain.output.contains("unlike those the dictionary was trained on"), "\(plain.output)")
      let found = try headlamp(["discover", folder + "/q.jsonl"] + words + ["--output", folder + "/q"])
      try #require(found.exitCode == 0, "\(found.errors)")
      let line = try #require(
        found.output.split(separator: "\n").first {
          $0.contains("unlike those the dictionary was trained on")
        })
      #expect(line.hasPrefix("2 of 500 prompts are unlike those the dictionary was trained on: 4"), "\(line)")
      #expect(line.hasSuffix("; of normal prompts alone, one run in 100 names any"))
      let summary = try String(contentsOfFile: folder + "/q/summary.json", encoding: .utf8)
      #expect(summary.contains("odd_prompts"))
    }
  }

  /// What the first prompts were like, held against a later recording of the same model.
  @Test func evaluateNamesPromptsThatAreUnlikeOthers() throws {
    try withOddPair { folder in
      let found = try headlamp([
        "discover", folder + "/p.jsonl", "--protocol", "change", "--epochs", "20", "--no-report", "--output",
        folder + "/p",
      ])
      try #require(found.exitCode == 0, "\(found.errors)")
      let autoencoder = folder + "/p/autoencoder.safetensors"
      for (name, isOdd) in [("p", false), ("q", true)] {
        let recording = folder + "/\(name).h5"
        for words in [
          ["record", folder + "/\(name).jsonl", "--output", recording],
          ["rank", recording, "--autoencoder", autoencoder, "--output", folder + "/r"],
        ] {
          let result = try headlamp(words)
          try #require(result.exitCode == 0, "\(result.errors)")
        }
        let words = [
          "evaluate", folder + "/r/heads.csv", "--truth", "ioi:ablation", "--recording", recording,
          "--autoencoder",
          autoencoder, "--resamples", "20",
        ]
        // Held against the file beside the autoencoder, or against one that is named.
        let result = try headlamp(words)
        #expect(result.exitCode == 0, "\(result.errors)")
        #expect(
          result.output.contains("2 of 500 prompts are unlike those the dictionary was trained on: 4")
            == isOdd,
          "\(result.output)")
        let json = try headlamp(words + ["--normality", folder + "/p/normality.safetensors", "--json"])
        #expect(json.output.contains("\"odd_prompts\": [{\"prompt\": 4") == isOdd, "\(json.output)")
      }
    }
  }
}
