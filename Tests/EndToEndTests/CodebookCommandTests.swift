// headlamp train-model --codebook, codes and steer.

import Foundation
import TestSupport
import Testing

@Suite struct CodebookCommandTests {
  /// A machine of six states, and a model with codebooks that has read its walks for a little while.
  private func withCodebookModel(_ body: (_ folder: String, _ model: String, _ task: String) throws -> Void)
    throws
  {
    try withTemporaryFolder { folder in
      let task = folder + "/task.json"
      try """
      {"name": "six", "summary": "walks", "state_machine": {"states": 6, "edges": 2, "walk": [6, 6]}}
      """.write(toFile: task, atomically: true, encoding: .utf8)
      let trained = try headlamp([
        "train-model", task, "--output", folder + "/model", "--layers", "1", "--heads", "2", "--d-model",
        "16",
        "--steps", "60", "--batch", "8", "--pairs", "60", "--text-weight", "1", "--codebook", "both",
        "--codes", "20",
        "--replace-every", "20",
      ])
      try #require(trained.exitCode == 0, "\(trained.errors)")
      try body(folder, folder + "/model", task)
    }
  }

  @Test func codesOfStatesAreShownAndForced() throws {
    try withCodebookModel { folder, model, task in
      let record = try String(contentsOfFile: model + "/training.json", encoding: .utf8)
      #expect(record.contains("\"code_use\"") && record.contains("--codebook both"))
      let table = folder + "/codes.csv"
      let codes = try headlamp(["codes", model, "--task", task, "--walks", "20", "--output", table])
      try #require(codes.exitCode == 0, "\(codes.errors)")
      #expect(codes.output.contains("of 6 labels have a code with precision and recall of 0.95 or more"))
      let rows = try String(contentsOfFile: table, encoding: .utf8).split(separator: "\n")
      #expect(rows.count == 7 && rows[1].hasPrefix("state 0,"))
      let place = try headlamp(["codes", model, "--task", task, "--code", "0.mlp:3"])
      #expect(place.exitCode == 0 && place.output.hasPrefix("0.mlp:3 is active at"), "\(place.errors)")
      let states = try headlamp(["steer", model, "--task", task, "--walks", "4"])
      try #require(states.exitCode == 0, "\(states.errors)")
      for part in ["none", "best code", "0.mlp", "all MLPs", "all heads", "all "] {
        #expect(states.output.contains("\n\(part)"), "\(part)")
      }
      #expect(codes.output.contains("6 states alone"))
      let alone = try headlamp(["steer", model, "--task", task, "--length", "1"])
      #expect(alone.output.contains("after 6 walks"), "\(alone.errors)")
      let recording = folder + "/r.h5"
      let recorded = try headlamp([
        "record", task, "--model", model, "--examples", "4", "--position", "last", "--output", recording,
      ])
      try #require(recorded.exitCode == 0, "\(recorded.errors)")
      #expect(
        try headlamp(["inspect", recording]).output.contains("1 of 20 active in each head's codebook"))
      let prompt = try headlamp(["steer", model, "--prompt", "1 4 2", "--code", "0.mlp:3,0.1:2"])
      #expect(prompt.exitCode == 0 && prompt.output.contains("KL divergence"), "\(prompt.errors)")
      let effects = folder + "/effects.csv"
      let every = try headlamp([
        "steer", model, "--task", task, "--walks", "2", "--every-code", "--output", effects,
      ])
      try #require(every.exitCode == 0, "\(every.errors)")
      #expect(try String(contentsOfFile: effects, encoding: .utf8).split(separator: "\n").count == 61)
    }
  }

  /// Circuits/tokfsm/small-codebook, as `make codebook-model` makes it.
  @Test func theBundledModelHasCodesOfStates() throws {
    let words = [
      packageFolder + "/Circuits/tokfsm/small-codebook", "--task",
      packageFolder + "/Circuits/tokfsm/small-task.json", "--json",
    ]
    func answer(_ command: [String]) throws -> [String: Any] {
      let result = try headlamp(command)
      try #require(result.exitCode == 0, "\(result.errors)")
      return try #require(
        JSONSerialization.jsonObject(with: Data(result.output.utf8)) as? [String: Any])
    }
    let codes = try answer(["codes"] + words)
    let labels = try #require(codes["labels"] as? [[String: Any]])
    let sure = labels.count {
      ($0["precision"] as? Double ?? 0) >= 0.95 && ($0["recall"] as? Double ?? 0) >= 0.95
    }
    #expect(labels.count == 30 && sure >= 16)
    let purity = try #require(codes["purity"] as? [[String: Any]]).first {
      $0["codebook"] as? String == "0.mlp" && $0["digits"] as? Int == 2
    }
    #expect(try #require(purity?["pure"] as? Int) >= 26)
    let steering = try answer(["steer"] + words + ["--length", "1"])
    #expect(try #require(steering["transition_accuracy"] as? Double) > 0.9)
    let forced = try #require(steering["forced"] as? [[String: Any]])
    func divergence(_ part: String) throws -> Double {
      try #require(
        forced.first { $0["part"] as? String == part }?["jensen_shannon_divergence"] as? Double)
    }
    #expect(try divergence("all") < 0.25 * divergence("none"))
    #expect(try divergence("all MLPs") < 0.5 * divergence("none"))
  }

  /// Circuits/tokfsm/codebook, as `make large-codebook-model` makes it: one code of the last MLP sets a state.
  @Test func mostOfAHundredStatesHaveACode() throws {
    let model = packageFolder + "/Circuits/tokfsm/codebook"
    let codes = try headlamp(["codes", model, "--task", "tokfsm", "--quiet"])
    try #require(codes.exitCode == 0, "\(codes.errors)")
    let line = try #require(
      codes.output.split(separator: "\n").first { $0.contains(" of 100 labels have a code") })
    #expect(try #require(Int(line.prefix { $0 != " " })) >= 55, "\(line)")
    let steering = try headlamp(["steer", model, "--task", "tokfsm", "--walks", "30", "--json"])
    try #require(steering.exitCode == 0, "\(steering.errors)")
    let answer = try #require(
      JSONSerialization.jsonObject(with: Data(steering.output.utf8)) as? [String: Any])
    #expect(try #require(answer["transition_accuracy"] as? Double) > 0.98)
    let forced = try #require(answer["forced"] as? [[String: Any]]).first { $0["part"] as? String == "1.mlp" }
    #expect(try #require(forced?["walks_steered"] as? Double) > 0.95)
    #expect(try #require(forced?["states_steered"] as? Int) >= 90)
  }

  @Test func aPatternIsLookedForInLines() throws {
    try withCodebookModel { folder, model, _ in
      let text = folder + "/text.txt"
      try "1 4 2 3\n2 4 1 0\n4 4 4\n0 1 2 4\n".write(toFile: text, atomically: true, encoding: .utf8)
      let found = try headlamp(["codes", model, "4 [12]", "--text", text])
      #expect(found.exitCode == 0 && found.output.contains("4 [12]"), "\(found.errors)")
      // The same lines as Windows ends them: each is still read by itself.
      let ended = folder + "/crlf.txt"
      try "1 4 2 3\r\n2 4 1 0\r\n4 4 4\r\n0 1 2 4\r\n".write(toFile: ended, atomically: true, encoding: .utf8)
      #expect(try headlamp(["codes", model, "4 [12]", "--text", ended]).output == found.output)
      let use = try headlamp(["codes", model, "--text", text])
      #expect(use.exitCode == 0 && use.output.contains("perplexity"), "\(use.errors)")
      for (words, problem) in [
        (["4 (", "--text", text], "cannot be read"), (["9", "--text", text], "nothing in"),
        (["4", "--task", "tokfsm"], "goes with --text"), ([], "is needed"),
        (["--task", "ioi"], "not a state machine"), (["--text", text, "--code", "0.9:1"], "no codebook 0.9"),
        (["--text", text, "--code", "0.mlp:20"], "has 20 codes"),
        (["--text", text, "--code", "x"], "a code is"),
        (["--text", text, "--contexts", "3"], "goes with --code"),
      ] {
        let refused = try headlamp(["codes", model] + words)
        #expect(refused.exitCode == 2 && refused.errors.contains(problem), "\(words): \(refused.errors)")
      }
    }
  }

  @Test func aModelIsFineTunedWithCodebooks() throws {
    try withCodebookModel { folder, model, task in
      let tuned = try headlamp([
        "train-model", task, "--from", model, "--output", folder + "/tuned", "--steps", "10", "--batch", "8",
        "--pairs",
        "60", "--codebook", "heads", "--codes", "5", "--active", "2",
      ])
      try #require(tuned.exitCode == 0, "\(tuned.errors)")
      let codes = try headlamp(["codes", folder + "/tuned", "--task", task, "--code", "0.1:4"])
      #expect(codes.exitCode == 0, "\(codes.errors)")
      // Codebooks that are there learn on, and are not made again.
      let further = try headlamp([
        "train-model", task, "--from", folder + "/tuned", "--output", folder + "/further", "--steps", "3",
        "--batch", "8", "--pairs", "60", "--commitment", "4",
      ])
      try #require(further.exitCode == 0, "\(further.errors)")
      let settings = try String(contentsOfFile: folder + "/further/training.json", encoding: .utf8)
      #expect(settings.contains("commitment 4.0"))
      let merged = try headlamp([
        "train-model", task, "--from", model, "--output", folder + "/merged", "--steps", "4", "--batch", "8",
        "--pairs", "60", "--codes-follow", "0.05", "--code-price", "0.2", "--merges", "2",
      ])
      try #require(merged.exitCode == 0, "\(merged.errors)")
      let record = try String(contentsOfFile: folder + "/merged/training.json", encoding: .utf8)
      #expect(record.contains("--codes-follow 0.05 --code-price 0.2 --merges 2"))
      let fresh = try headlamp(["train-model", task, "--output", folder + "/x", "--codes", "7"])
      #expect(fresh.exitCode == 2 && fresh.errors.contains("add --codebook"), "\(fresh.errors)")
      let unlearned = try headlamp([
        "train-model", task, "--output", folder + "/x", "--codebook", "mlp", "--code-price", "0.1",
      ])
      #expect(unlearned.exitCode == 2 && unlearned.errors.contains("add --from"), "\(unlearned.errors)")
      for (words, problem) in [
        (["--layers", "2"], "--from keeps the model as it is"),
        (["--codes", "7"], "keeps the model's codebooks"),
        (["--codebook", "all"], "heads, mlp or both"),
        (["--codebook", "mlp", "--codes", "3", "--active", "4"], "more than the 3 codes"),
        (["--code-price", "0"], "must be above 0"), (["--merges", "2"], "goes with --code-price"),
        (["--code-price", "0.1", "--merges", "0"], "--merges 0"),
        (["--code-price", "0.1", "--codebook", "heads"], "codes of MLPs"),
        (["--code-price", "0.1", "--codebook", "both", "--similarity", "euclidean"], "by cosine"),
        (["--codes-follow", "2"], "between 0 and 1"),
      ] {
        let refused = try headlamp(["train-model", task, "--from", model, "--output", folder + "/x"] + words)
        #expect(refused.exitCode == 2 && refused.errors.contains(problem), "\(words): \(refused.errors)")
      }
    }
  }

  @Test func headsAreRankedByTheModelsOwnCodes() throws {
    try withCodebookModel { folder, model, task in
      let words = ["discover", task, "--model", model, "--examples", "12"]
      let found = try headlamp(
        words + ["--dictionary", "codebook", "--figure-examples", "0", "--output", folder + "/own"])
      try #require(found.exitCode == 0, "\(found.errors)")
      #expect(found.output.contains("codes of the model's own codebooks of largest attribution: 0."))
      func rows(_ name: String) throws -> [[String]] {
        try String(contentsOfFile: folder + "/own/" + name, encoding: .utf8).split(separator: "\n").map {
          $0.split(separator: ",", omittingEmptySubsequences: false).map(String.init)
        }
      }
      let (heads, codes) = (try rows("heads.csv"), try rows("native-codes.csv"))
      let (attribution, error) = (
        try #require(heads[0].firstIndex(of: "attribution")),
        try #require(heads[0].firstIndex(of: "error_term"))
      )
      #expect(heads.count == 3 && codes.count > 3)
      for head in heads.dropFirst() {
        let sum = codes.dropFirst().filter { $0[1] == head[1] && $0[2] == head[2] }.reduce(0.0) {
          $0 + (Double($1[3]) ?? .nan)
        }
        #expect(try abs(sum - #require(Double(head[attribution]))) < 1e-4)
        #expect(Double(head[error]) == 0)
      }
      #expect(try String(contentsOfFile: folder + "/own/summary.json", encoding: .utf8).contains("codebook"))
      #expect(FileManager.default.fileExists(atPath: folder + "/own/report.html"))
      for (options, problem) in [
        (["--epochs", "5"], "--epochs is about a dictionary that is trained"),
        (["--replace", "mean"], "compares with each prompt's negative"),
      ] {
        let refused = try headlamp(words + ["--dictionary", "codebook"] + options)
        #expect(refused.exitCode == 2 && refused.errors.contains(problem), "\(refused.errors)")
      }
      let none = try headlamp(["discover", "ioi", "--dictionary", "codebook", "--output", folder + "/none"])
      #expect(none.exitCode == 2 && none.errors.contains("needs codebooks on heads"), "\(none.errors)")
    }
  }

  @Test func forcedCodesMustBeOnesOfTheModel() throws {
    try withCodebookModel { folder, model, task in
      for (words, problem) in [
        (["--prompt", "1 2"], "needs --code"), ([], "is needed"),
        (["--prompt", "1 2", "--code", "0.mlp:1,0.mlp:2"], "twice"),
        (["--prompt", "1 2", "--code", "0.mlp:1", "--at", "9"], "--at is"),
        (["--task", task, "--code", "0.mlp:1"], "goes with --prompt"),
        (["--prompt", "1 2", "--code", "3.mlp:1"], "no codebook"),
        (["--prompt", "1 2", "--code", "0.mlp:1", "--length", "1"], "--length goes with --task"),
        (["--task", task, "--length", "0"], "above 0"),
        (["--task", task, "--length", "500"], "is more than"),
        (["--task", task, "--length", "1", "--walks", "9"], "leave out --walks"),
      ] {
        let refused = try headlamp(["steer", model] + words)
        #expect(refused.exitCode == 2 && refused.errors.contains(problem), "\(words): \(refused.errors)")
      }
      let plain = folder + "/plain"
      let trained = try headlamp([
        "train-model", task, "--output", plain, "--layers", "1", "--heads", "2", "--d-model", "16", "--steps",
        "2",
        "--pairs", "60",
      ])
      try #require(trained.exitCode == 0, "\(trained.errors)")
      let refused = try headlamp(["codes", plain, "--task", task])
      #expect(refused.exitCode == 2 && refused.errors.contains("has no codebooks"), "\(refused.errors)")
    }
  }
}
