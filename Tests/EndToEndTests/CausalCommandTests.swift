// The commands that change values in a model's run: what they write, and one line for what they cannot do.

import Foundation
import TestSupport
import Testing

@Suite struct CausalCommandTests {
  @Test func attributionsRunAndCircuitsAreScored() throws {
    try withSmallModel { folder, model in
      let common = ["induction", "--model", model, "--examples", "6"]
      let attributed = try headlamp(["attribute"] + common + ["--method", "eap", "--output", folder + "/a"])
      try #require(attributed.exitCode == 0, "\(attributed.errors)")
      let edges = try String(contentsOfFile: folder + "/a/edges.csv", encoding: .utf8).split(separator: "\n")
      #expect(edges[0] == "source,destination,score,score_low,score_high,in_top,in_circuit")
      // Two layers of four heads with MLPs: 12·1 + 5 + 12·6 + 10 + 11 edges.
      #expect(edges.count == 1 + 110)
      // Edges and heads are scored against truths; the circuit's own scores find it.
      let score = try headlamp([
        "evaluate", folder + "/a/edges.csv", "--truth", folder + "/a/circuit.json", "--json",
      ])
      #expect(
        score.exitCode == 0 && score.output.contains("\"edges\": 110"), "\(score.errors)\(score.output)")
      let mixed = try headlamp([
        "evaluate", folder + "/a/edges.csv", folder + "/a/nodes.csv", "--truth", folder + "/a/circuit.json",
      ])
      #expect(
        mixed.exitCode == 1
          && mixed.errors.contains("nodes.csv, line 1, column source: the column is missing"))
      let other = try headlamp(["evaluate", folder + "/a/edges.csv", "--truth", "ioi:ablation"])
      #expect(other.exitCode == 2 && other.errors.contains("ioi:ablation is a truth about heads"))
      let size = try headlamp(["evaluate", folder + "/a/nodes.csv", "--truth", "ioi:ablation"])
      #expect(size.exitCode == 1 && size.errors.contains("is of a model of 2 layers × 4 heads"))
      for name in ["nodes.csv", "circuit.json", "summary.json", "heads.svg"] {
        #expect(FileManager.default.fileExists(atPath: folder + "/a/" + name), "\(name)")
      }
      let scored = try headlamp(
        ["faithfulness"] + common + [
          "--circuit", folder + "/a/circuit.json", "--stability", "eap", "--output", folder + "/f",
        ])
      #expect(scored.exitCode == 0, "\(scored.errors)")
      #expect(scored.output.contains("faithfulness") && scored.output.contains("cpr"))
      // The file was made by the same method from the same prompts.
      #expect(scored.output.contains("; 10 of the file's 10 largest are among them"))
      let nodes = try headlamp(
        ["faithfulness"] + common + ["--circuit", folder + "/a/circuit.json", "--stability", "atp"])
      #expect(nodes.exitCode == 2 && nodes.errors.contains("--stability needs a method that scores edges"))
      let again = try headlamp(["attribute"] + common + ["--method", "eap", "--output", folder + "/b"])
      #expect(again.exitCode == 0)
      #expect(
        try String(contentsOfFile: folder + "/a/circuit.json", encoding: .utf8)
          == String(contentsOfFile: folder + "/b/circuit.json", encoding: .utf8))
    }
  }

  @Test func patchingAndHeadsWriteTheirTables() throws {
    try withSmallModel { folder, model in
      let common = ["induction", "--model", model, "--examples", "6"]
      let patched = try headlamp(
        ["patch"] + common + [
          "--direction", "both", "--pairs", "3", "--groups", "some=a0.h1,m0", "--output", folder + "/p",
        ])
      try #require(patched.exitCode == 0, "\(patched.errors)")
      for name in ["corrupt-effects.csv", "restore-pairs.csv", "restore-groups.csv", "corrupt-effects.svg"] {
        #expect(FileManager.default.fileExists(atPath: folder + "/p/" + name), "\(name)")
      }
      let heads = try headlamp(
        ["heads"] + common + ["--pattern", "1.2", "--output", folder + "/h"])
      #expect(heads.exitCode == 0, "\(heads.errors)")
      #expect(FileManager.default.fileExists(atPath: folder + "/h/pattern-1.2.svg"))
    }
  }

  @Test func everyMethodIsListedAndRuns() throws {
    let list = try headlamp(["methods"])
    let names = list.output.split(separator: "\n").filter { !$0.hasPrefix(" ") }.map(String.init)
    #expect(names.count == 17 && names.contains("acdc"))
    try withSmallModel { _, model in
      for name in names {
        let result = try headlamp([
          "attribute", "induction", "--model", model, "--examples", "2", "--method", name,
        ])
        #expect(result.exitCode == 0, "\(name): \(result.errors)")
      }
    }
  }

  @Test func whatCannotBeDoneIsSaidInOneLine() throws {
    try withSmallModel { folder, model in
      func write(_ lines: [String]) throws -> String {
        let path = folder + "/p.jsonl"
        try lines.joined(separator: "\n").write(toFile: path, atomically: true, encoding: .utf8)
        return path
      }
      let positive = "{\"tokens\": [9, 8, 7], \"label\": 1, \"pair\": 0, \"answer\": 5, \"wrong\": [6]}"
      let other = folder + "/other.json"
      try "{\"cfg\": {\"n_layers\": 3, \"n_heads\": 4}, \"nodes\": {\"m0\": {}}, \"edges\": {}}"
        .write(toFile: other, atomically: true, encoding: .utf8)
      let cases: [(words: [String], lines: [String], code: Int32, message: String)] = [
        (
          ["attribute"], [positive, "{\"tokens\": [9, 8], \"label\": 0, \"pair\": 0}"], 1,
          "prompt 0 of PATH: it has 3 tokens and its negative, prompt 1, has 2; they must align"
        ),
        (
          ["attribute"], [positive, "{\"tokens\": [9, 8, 1], \"label\": 0, \"pair\": 4}"], 1,
          "prompt 0 of PATH: it has no negative of its own to take values from"
        ),
        (
          ["attribute"],
          [
            "{\"tokens\": [9, 8, 7], \"label\": 1, \"pair\": 0, \"answer\": 5}",
            "{\"tokens\": [9, 8, 1], \"label\": 0, \"pair\": 0}",
          ], 1, "positive prompt 0 (counted from 0) has no wrong answer, which the metric needs"
        ),
        (
          ["attribute", "--replace", "mean"], [positive, "{\"tokens\": [9, 8], \"label\": 0}"], 1,
          "nothing can stand in for values of positive prompt 0 (counted from 0): no other prompt has its 3 tokens"
        ),
        (
          ["faithfulness", "--circuit", other],
          [positive, "{\"tokens\": [9, 8, 1], \"label\": 0, \"pair\": 0}"],
          1,
          "\(other) is a circuit of a model of 3 layers of 4 heads; this one has 2 layers of 4 heads"
        ),
        (
          ["patch", "--groups", "x=a7.h0"], [positive, "{\"tokens\": [9, 8, 1], \"label\": 0, \"pair\": 0}"],
          1,
          "the model has no node 'a7.h0'; it has 2 layers of 4 heads"
        ),
        (
          ["heads", "--pattern", "2.0", "--output", folder + "/h"],
          [positive, "{\"tokens\": [9, 8, 1], \"label\": 0, \"pair\": 0}"], 2,
          "the model has no head '2.0'; it has 2 layers of 4 heads, named LAYER.HEAD from 0.0"
        ),
        (
          ["attribute", "--method", "epa"], [positive], 2, "there is no method 'epa'; did you mean 'eap'?"
        ),
        (
          ["attribute", "--method", "atp", "--steps", "3"], [positive], 2,
          "--steps has no meaning for atp; it is for ig, eap-ig-inputs, eap-ig-activations"
        ),
        (
          ["patch", "--direction", "restore", "--replace", "zero"], [positive], 2,
          "--direction restore needs --replace pair: it puts clean values back"
        ),
      ]
      for (words, lines, code, message) in cases {
        let path = try write(lines)
        let result = try headlamp([words[0], path, "--model", model] + words.dropFirst())
        #expect(result.exitCode == code, "\(words)")
        #expect(result.errors == "headlamp: " + message.replacingOccurrences(of: "PATH", with: path) + "\n")
      }
      // A negative that is its positive: nothing differs, so no circuit can be told from another.
      let same = try write([positive, "{\"tokens\": [9, 8, 7], \"label\": 0, \"pair\": 0}"])
      let circuit = folder + "/c"
      _ = try headlamp([
        "attribute", same, "--model", model, "--method", "information-flow", "--output", circuit,
      ])
      let result = try headlamp([
        "faithfulness", same, "--model", model, "--circuit", circuit + "/circuit.json",
      ])
      #expect(result.exitCode == 1)
      #expect(
        result.errors.contains("with everything in place and with everything replaced"), "\(result.errors)")
    }
  }
}
