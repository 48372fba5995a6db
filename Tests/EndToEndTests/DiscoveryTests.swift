// The first journey as a user takes it: all stages at once, each stage alone, and what its files hold.

import Foundation
import TestSupport
import Testing

@Suite struct DiscoveryTests {
  static let files = [
    "default": [
      "code-ablation.csv", "codes.csv", "code-pairs.csv", "dictionary.safetensors", "normality.safetensors",
      "heads.csv",
      "pairs.csv",
      "recording.h5",
      "report.html", "summary.json",
      "attention.csv", "code-contexts.csv", "direct.csv", "edges.csv", "heads-kept.csv", "prompts.csv",
      "training.csv",
    ],
    "change": [
      "recording.h5", "autoencoder.safetensors", "normality.safetensors", "heads.csv", "pairs.csv",
      "report.html", "summary.json",
    ],
  ]

  private func text(_ path: String) throws -> String { try String(contentsOfFile: path, encoding: .utf8) }

  private func columns(_ path: String) throws -> [[String]] {
    try text(path).split(separator: "\n").map {
      $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
    }
  }

  @Test(arguments: ["default", "change"])
  func theSameSeedGivesTheSameBytes(name: String) throws {
    try withSmallModel { folder, model in
      let files = try #require(Self.files[name])
      let words = [
        "discover", "induction", "--model", model, "--examples", "40", "--epochs", "60", "--protocol", name,
      ]
      for (run, seed) in [("a", "3"), ("b", "3"), ("c", "4")] {
        let result = try headlamp(words + ["--seed", seed, "--output", "\(folder)/\(run)"])
        try #require(result.exitCode == 0, "\(result.errors)")
        #expect(
          result.output.contains(name == "change" ? "rank  head    score" : "rank  head   share of metric"))
        #expect(result.output.contains("null, norm of the paired difference: "))
      }
      for file in files {
        let (a, b, c) = (
          try Data(contentsOf: URL(fileURLWithPath: "\(folder)/a/\(file)")),
          try Data(contentsOf: URL(fileURLWithPath: "\(folder)/b/\(file)")),
          try Data(contentsOf: URL(fileURLWithPath: "\(folder)/c/\(file)"))
        )
        #expect(a == b, "\(file)")
        #expect(a != c, "\(file)")
      }
      #expect(
        try FileManager.default.contentsOfDirectory(atPath: folder + "/a").sorted() == files.sorted())
    }
  }

  /// The command that the README opens with: no option but where to write.
  @Test func theBundledModelIsComparedWithItsOwnTruth() throws {
    try withTemporaryFolder { folder in
      let result = try headlamp(["discover", "ioi"], folder: folder)
      try #require(result.exitCode == 0, "\(result.errors)")
      #expect(result.output.contains(" of 32 heads are in pair; trapezoid_auc "))
      let summary = try #require(
        try JSONSerialization.jsonObject(
          with: Data(text(folder + "/results/ioi/summary.json").utf8)) as? [String: Any])
      let area = (summary["measures"] as? [String: [String: Double]])?["trapezoid_auc"]
      #expect(try #require(area?["value"]) > 0.9)
      let heads = try columns(folder + "/results/ioi/heads.csv")
      #expect(heads[0].last == "in_truth")
      #expect(heads[1].last == "1")
      #expect(summary["question"] as? String == "pair")
      // Codes and error sum to the whole, and codes of the best heads are named.
      let places = ["attribution", "error_term", "whole"].compactMap { heads[0].firstIndex(of: $0) }
      for row in heads.dropFirst() {
        let values = places.compactMap { Double(row[$0]) }
        #expect(values.count == 3 && abs(values[0] + values[1] - values[2]) < 1e-6)
      }
      #expect(try columns(folder + "/results/ioi/codes.csv").count > 20)
      let inside = try headlamp(["inspect", folder + "/results/ioi/dictionary.safetensors"])
      #expect(inside.output.contains("200 of width 96"), "\(inside.errors)")
    }
  }

  @Test func tablesHaveTheirColumns() throws {
    try withSmallModel { folder, model in
      let spec = """
        {"name": "own", "summary": "a truth for a small model", "prompts_file": "prompts.jsonl",
         "ground_truths": {"mine": {"model": "small", "layers": 2, "heads_per_layer": 4, "source": "a test",
         "heads": [[0, 1], [1, 3]]}}}
        """
      try spec.write(toFile: folder + "/task.json", atomically: true, encoding: .utf8)
      let made = try headlamp([
        "generate", "induction", "--model", model, "--examples", "30", "--output", folder + "/prompts.jsonl",
      ])
      #expect(made.exitCode == 0)
      let result = try headlamp([
        "discover", folder, "--model", model, "--protocol", "change", "--position", "each", "--epochs", "40",
        "--truth", folder + ":mine", "--output", folder + "/out",
      ])
      try #require(result.exitCode == 0, "\(result.errors)")
      #expect(result.output.contains("2 of 8 heads are in mine; trapezoid_auc"))
      #expect(result.output.contains("over prompts"))

      let heads = try columns(folder + "/out/heads.csv")
      #expect(
        heads[0] == [
          "rank", "layer", "head", "score", "probability", "unique_positive", "unique_negative",
          "distinct_codes", "position", "in_truth",
        ])
      #expect(heads.count == 9)
      #expect(heads.dropFirst().count { $0[9] == "1" } == 2)
      #expect(heads.dropFirst().allSatisfy { (Int($0[8]) ?? 0) < 0 })
      let scores = heads.dropFirst().compactMap { Double($0[3]) }
      #expect(scores == scores.sorted(by: >))
      let total = heads.dropFirst().compactMap { Double($0[4]) }.reduce(0, +)
      #expect(abs(total - 1) < 1e-9)
      let pairs = try columns(folder + "/out/pairs.csv")
      #expect(pairs[0] == ["rank", "layer_a", "head_a", "layer_b", "head_b", "score"])
      #expect(pairs.count == 29)

      let inside = try headlamp(["inspect", folder + "/out/recording.h5"])
      #expect(inside.output.contains("head outputs   [60, "))
      #expect(inside.output.contains("position       each"))
      #expect(
        try headlamp(["inspect", folder + "/out/autoencoder.safetensors"]).output.contains("autoencoder 2"))

      let summary = try #require(
        try JSONSerialization.jsonObject(with: Data(text(folder + "/out/summary.json").utf8))
          as? [String: Any])
      let measures = try #require(summary["measures"] as? [String: [String: Double]])
      let area = try #require(measures["trapezoid_auc"])
      let (low, high) = (try #require(area["low_over_prompts"]), try #require(area["high_over_prompts"]))
      #expect(low <= high)
      #expect((summary["nulls"] as? [[String: Any]])?.count == 2)

      // The interval that 'evaluate' draws over the same prompts holds the same measures.
      let evaluate = ["evaluate", folder + "/out/heads.csv", "--truth", folder + ":mine", "--json"]
      let sources = [
        "--recording", folder + "/out/recording.h5", "--autoencoder", folder + "/out/autoencoder.safetensors",
      ]
      let drawn = try headlamp(evaluate + sources)
      try #require(drawn.exitCode == 0, "\(drawn.errors)")
      #expect(drawn.output.contains("\"intervals_over\": \"prompts\""))
      let again = try headlamp(evaluate + sources)
      #expect(drawn.output == again.output)
      let otherwise = try headlamp(evaluate + sources + ["--score", "unique-codes"])
      #expect(otherwise.exitCode == 1)
      #expect(otherwise.errors.contains("was not ranked from"))
    }
  }

  @Test(arguments: ["change", "paper"])
  func stagesAloneGiveWhatAllGiveTogether(name: String) throws {
    try withSmallModel { folder, model in
      let all = try headlamp([
        "discover", "induction", "--model", model, "--examples", "25", "--seed", "2", "--protocol", name,
        "--output", folder + "/all",
      ])
      try #require(all.exitCode == 0, "\(all.errors)")
      let stages = [
        [
          "generate", "induction", "--model", model, "--examples", "25", "--seed", "2", "--output", "p.jsonl",
        ],
        [
          "record", "p.jsonl", "--model", model, "--position", name == "paper" ? "mean" : "answer",
          "--output",
          "r.h5",
        ],
        ["train", "r.h5", "--protocol", name, "--seed", "2", "--output", "a.safetensors"],
        ["rank", "r.h5", "--autoencoder", "a.safetensors", "--output", "ranked"],
      ]
      for stage in stages {
        let result = try headlamp(stage, folder: folder)
        try #require(result.exitCode == 0, "\(result.errors)")
      }
      let timed = try headlamp(stages[3] + ["--timings"], folder: folder)
      let last = try #require(timed.output.split(separator: "\n").last)
      let seconds = try #require(
        try JSONSerialization.jsonObject(with: Data(last.utf8)) as? [String: Double], "\(last)")
      #expect(seconds.keys.sorted() == ["encode_seconds", "open_seconds", "score_seconds"])
      for file in ["heads.csv", "pairs.csv"] {
        #expect(try text("\(folder)/ranked/\(file)") == text("\(folder)/all/\(file)"), "\(file)")
      }
    }
  }

  @Test func rankingsAreComparedAndKept() throws {
    try withTemporaryFolder { folder in
      let words = [
        "compare", "induction", "--examples", "12", "--judging-examples", "12", "--methods", "codes,atp",
        "--output", folder + "/c",
      ]
      let first = try headlamp(words)
      try #require(first.exitCode == 0, "\(first.errors)")
      #expect(first.output.contains("| codes | pair | 1 | "))
      let cell = folder + "/c/cells/default-model-induction.json"
      let stored = try text(cell)
      // The same settings are not run again: even the times stay; other settings are.
      #expect(try headlamp(words).output == first.output)
      #expect(try text(cell) == stored)
      #expect(try headlamp(words + ["--seed", "1"]).exitCode == 0)
      #expect(try text(cell) != stored)
      for (extra, message) in [
        (["--truth", "ioi:pair"], "--truth goes with a recording (.h5), not with a task"),
        (["--half", "both"], "--half says nothing without --suite"),
        (
          ["--lambda", "1", "--top-k", "2"],
          "--lambda, --top-k and --batch-top-k are three ways to keep codes few; give one"
        ),
      ] {
        let result = try headlamp(words + extra)
        #expect(result.exitCode == 2 && result.errors == "headlamp: \(message)\n")
      }
    }
  }

  @Test func promptsMayBeTokensWithPairsAndPositions() throws {
    try withSmallModel { folder, model in
      var lines = ""
      for pair in 0..<12 {
        let first = 2 + pair
        lines +=
          "{\"tokens\": [\(first), 20, \(first)], \"label\": 1, \"answer\": 20, \"wrong\": [\(first)], "
        lines += "\"pair\": \(pair), \"positions\": {\"repeat\": -1, \"start\": 0}}\n"
        lines += "{\"tokens\": [\(first), 20, \(first + 1)], \"label\": 0, \"pair\": \(pair), "
        lines += "\"positions\": {\"repeat\": 2, \"start\": 0}}\n"
      }
      try lines.write(toFile: folder + "/p.jsonl", atomically: true, encoding: .utf8)
      for position in ["repeat", "mean", "last", "answer", "each"] {
        let path = "\(folder)/\(position).h5"
        let result = try headlamp([
          "record", folder + "/p.jsonl", "--model", model, "--position", position, "--output", path,
        ])
        try #require(result.exitCode == 0, "\(result.errors)")
        let inside = try headlamp(["inspect", path]).output
        #expect(inside.contains("examples       12 positive, 12 negative"))
        #expect(inside.contains("pairs          12"))
        #expect(inside.contains("bos            off"))
        #expect(inside.contains("position       \(position)"))
      }
      let prompts = try headlamp(["inspect", folder + "/p.jsonl"]).output
      for row in [
        "prompts        12 positive, 12 negative", "given as       0 texts, 24 lists of token ids",
        "pairs          12", "answers        to 12 prompts", "positions      repeat, start",
      ] { #expect(prompts.contains(row)) }
      let few = try headlamp([
        "record", folder + "/p.jsonl", "--model", model, "--examples", "5", "--output", folder + "/few.h5",
      ])
      #expect(few.errors.hasPrefix("10 prompts recorded in "))
      let unknown = try headlamp([
        "record", folder + "/p.jsonl", "--model", model, "--position", "repaet", "--output", folder + "/x.h5",
      ])
      #expect(
        unknown.errors
          == "headlamp: prompt 0 of \(folder)/p.jsonl: it has no position 'repaet', but answer, last, repeat, start\n"
      )
      #expect(unknown.exitCode == 1)
    }
  }
}
