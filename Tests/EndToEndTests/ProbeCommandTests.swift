// headlamp probe: what it writes, and one line for what it cannot do.

import Foundation
import TestSupport
import Testing

@Suite struct ProbeCommandTests {
  /// Calls `body` with a folder that holds recordings of 40 pairs, at the answer and at each position.
  private func withRecordings(_ body: (_ folder: String, _ model: String) throws -> Void) throws {
    try withSmallModel { folder, model in
      for (name, position) in [("r", "answer"), ("each", "each")] {
        let made = try headlamp([
          "record", "induction", "--model", model, "--examples", "40", "--position", position, "--output",
          folder + "/\(name).h5",
        ])
        try #require(made.exitCode == 0, "\(made.errors)")
      }
      try body(folder, model)
    }
  }

  private func lines(_ path: String) throws -> [Substring] {
    try String(contentsOfFile: path, encoding: .utf8).split(separator: "\n")
  }

  @Test func everyPlaceIsProbed() throws {
    try withRecordings { folder, model in
      let words = ["probe", folder + "/r.h5", "--model", model, "--draws", "2"]
      let result = try headlamp(words + ["--output", folder + "/p"])
      try #require(result.exitCode == 0, "\(result.errors)")
      #expect(result.output.contains("label: 2 classes over 80 prompts (0 40, 1 40)"))
      let probes = try lines(folder + "/p/probes.csv")
      #expect(
        probes[0]
          == "kind,layer,head,position,prompts,majority,accuracy,accuracy_low,accuracy_high,c,bayes_accuracy,bayes_accuracy_low,bayes_accuracy_high,control_accuracy,selectivity,lead,crossing"
      )
      // Two layers of four heads, and the layers.
      #expect(probes.count == 1 + 10)
      // 4, 8, 16, 32 and all 56 that train.
      #expect(try lines(folder + "/p/learning-curves.csv").count == 1 + 10 * 5)
      #expect(try lines(folder + "/p/directions.csv").count == 1 + 10)
      let page = try String(contentsOfFile: folder + "/p/report.html", encoding: .utf8)
      #expect(
        page.contains("Heads by accuracy above the commonest class") && page.contains("Learning curves"))
      // The same seed gives the same bytes; --json prints the summary.
      let again = try headlamp(words + ["--output", folder + "/q", "--no-report", "--json"])
      #expect(again.exitCode == 0 && again.output.contains("\"held_out_prompts\": 24"))
      for name in ["probes", "learning-curves", "directions"] {
        #expect(try lines(folder + "/p/\(name).csv") == lines(folder + "/q/\(name).csv"))
      }
    }
  }

  @Test func positionsAreProbedApartAndATokenIsFoundWhereItStands() throws {
    try withRecordings { folder, _ in
      let fields = folder + "/f.csv"
      let kinds = (0..<80).map { "\($0 / 2 % 3)" }
      try ("kind\n" + kinds.joined(separator: "\n") + "\n").write(
        toFile: fields, atomically: true, encoding: .utf8)
      let result = try headlamp([
        "probe", folder + "/each.h5", "--positions", "2", "--draws", "0", "--fields", fields, "--target",
        "kind",
        "--control", "token:-1", "--output", folder + "/p",
      ])
      try #require(result.exitCode == 0, "\(result.errors)")
      #expect(result.output.contains("kind: 3 classes over 80 prompts (0 28, 1 26, 2 26)"))
      #expect(try lines(folder + "/p/probes.csv").count == 1 + 20)
      #expect(!FileManager.default.fileExists(atPath: folder + "/p/learning-curves.csv"))
      let page = try String(contentsOfFile: folder + "/p/report.html", encoding: .utf8)
      #expect(page.contains("Layers by position"))
    }
  }

  @Test func classesAreLearnedOneAfterTheOther() throws {
    try withRecordings { folder, _ in
      let fields = folder + "/f.csv"
      let kinds = (0..<80).map { "\($0 / 2 % 4)" }
      try ("kind\n" + kinds.joined(separator: "\n") + "\n").write(
        toFile: fields, atomically: true, encoding: .utf8)
      let words = [
        "probe", folder + "/r.h5", "--fields", fields, "--target", "kind", "--probe", "key-value",
        "--codebooks", "8",
      ]
      let result = try headlamp(words + ["--output", folder + "/p"])
      try #require(result.exitCode == 0, "\(result.errors)")
      #expect(result.output.contains("classes in 2 phases, one after the other"))
      #expect(try lines(folder + "/p/key-value.csv").count == 1 + 10)
      #expect(try lines(folder + "/p/phases.csv").count == 1 + 20)
      #expect(
        try lines(folder + "/p/keys.csv")[0]
          == "kind,layer,head,position,rank,codebook,key,class,share_of_margin,prompts,prompts_of_class,first_prompts"
      )
      let page = try String(contentsOfFile: folder + "/p/report.html", encoding: .utf8)
      #expect(page.contains("Class after class") && page.contains("Keys that decide"))
      let json = try headlamp(words + ["--json"])
      #expect(json.exitCode == 0 && json.output.contains("\"phases\": [[\"0\", \"1\"], [\"2\", \"3\"]]"))
      for (more, message) in [
        (["--classes-per-phase", "5"], "--classes-per-phase is 5; allowed is 1 to 4"),
        (["--keys", "0"], "--keys is 0; allowed is 1 to 100000"),
        (["--draws", "3"], "--draws has no meaning for --probe key-value"),
      ] {
        let refused = try headlamp(words + more)
        #expect(refused.exitCode == 2 && refused.errors == "headlamp: \(message)\n", "\(refused.errors)")
      }
      let linear = try headlamp(["probe", folder + "/r.h5", "--keys", "3"])
      #expect(linear.exitCode == 2 && linear.errors == "headlamp: --keys has no meaning for --probe linear\n")
    }
  }

  @Test func whatCannotBeDoneIsSaidInOneLine() throws {
    try withRecordings { folder, _ in
      let (path, fields) = (folder + "/r.h5", folder + "/f.csv")
      try "kind\n1\n".write(toFile: fields, atomically: true, encoding: .utf8)
      let cases: [(words: [String], code: Int32, message: String)] = [
        (["--target", "labl"], 1, "there is no field 'labl'; did you mean 'label'?"),
        (
          ["--target", "colour"], 1,
          "there is no field 'colour'; known are label, length, token:POSITION, and --fields FILE adds those of a file"
        ),
        (["--target", "token:99"], 1, "prompt 0 (counted from 0) has "),
        (
          ["--fields", fields], 1, "\(fields) has 1 records and the recording 80 prompts; one record for each"
        ),
        (["--fields", folder + "/none.csv"], 1, "cannot read \(folder)/none.csv: "),
        (
          ["--positions", "2"], 2,
          "--positions goes with a recording of each position; \(path) holds 'answer'"
        ),
        (["--draws", "-1"], 2, "--draws is -1; allowed is 0 to 1000"),
        (["--no-report"], 2, "--no-report goes with --output"),
        (["--model", packageFolder + "/Circuits/default-model"], 1, "the weights of "),
        (["--control", "colour"], 1, "there is no field 'colour'"),
        (["--target", "token:-1", "--control", "none"], 1, "'token:-1' has "),
      ]
      for (words, code, message) in cases {
        let result = try headlamp(["probe", path] + words)
        #expect(result.exitCode == code, "\(words): \(result.errors)\(result.output)")
        #expect(result.errors.hasPrefix("headlamp: " + message), "\(words): \(result.errors)")
        #expect(result.errors.split(separator: "\n").count == 1 && result.output.isEmpty)
      }
    }
  }
}
