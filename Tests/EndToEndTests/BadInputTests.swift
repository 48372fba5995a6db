// Bad input to the commands of the first journey: one line that says what is wrong, an exit code, and no file.

import Foundation
import TestSupport
import Testing

@Suite struct BadInputTests {
  /// What a prompt file holds, and what is said about it; PATH and MODEL stand for the file and the model folder.
  static let promptFiles: [(lines: String, message: String)] = [
    ("", "PATH has no prompts"),
    ("\n \n", "PATH has no prompts"),
    (
      "{\"prompt\": \"wood stone\", \"label\": 0}\n{\"prompt\": \"stone\", \"label\": 0}",
      "all 2 prompts of PATH are negative; label 1 marks those that call for the behaviour"
    ),
    (
      "{\"prompt\": \"wood stone\", \"label\": 1}",
      "all 1 prompts of PATH are positive; negatives (label 0) are needed to compare with"
    ),
    (
      "{\"prompt\": \"wood\", \"label\": 1, \"answer\": \" Zed\"}\n{\"prompt\": \"wood\", \"label\": 0}",
      "' Zed' (answer of prompt 0 of PATH) must be one token under the tokenizer of MODEL, and is not in its "
        + "vocabulary"
    ),
    (
      "{\"prompt\": \"wood\", \"label\": 0}\n"
        + "{\"prompt\": \"wood\", \"label\": 1, \"answer\": 9, \"wrong\": [9]}",
      "prompt 1 of PATH: a right answer is a wrong one too: both are the tokens [9]"
    ),
    (
      "{\"prompt\": \"wood\", \"label\": 1}\n{\"prompt\": \"wood\", \"lable\": 0}",
      "PATH, line 2: there is no field \"lable\" here; known are prompt, tokens, label, answer, wrong, pair, positions"
    ),
    ("{\"prompt\": \"wood\", \"label\": 2}", "PATH, line 1: label: 2 is not from 0 to 1"),
    ("{\"prompt\": \"wood\", \"label\": 1", "PATH, line 1: column 30: a comma or '}' is needed here"),
    (
      "{\"tokens\": [9, 999], \"label\": 1}\n{\"tokens\": [9], \"label\": 0}",
      "prompt 0 of PATH has token 999, and the model's vocabulary has 43"
    ),
    (
      "{\"tokens\": [9], \"label\": 1, \"pair\": 3}\n{\"tokens\": [9], \"label\": 1, \"pair\": 3}",
      "prompt 1 of PATH: pair 3 already has a positive prompt"
    ),
    (
      "{\"tokens\": [9], \"label\": 1, \"positions\": {\"end\": 1}}\n{\"tokens\": [9], \"label\": 0}",
      "prompt 0 of PATH: position \"end\" is 1, and it has 1 tokens"
    ),
    (
      "{\"tokens\": [\((0..<99).map { _ in "9" }.joined(separator: ", "))], \"label\": 1}\n"
        + "{\"tokens\": [9], \"label\": 0}",
      "prompt 0 of PATH has 99 tokens, and the model reads 32 at most"
    ),
  ]

  @Test func promptsThatCannotBeUsed() throws {
    try withSmallModel { folder, model in
      let path = folder + "/p.jsonl"
      for (lines, message) in Self.promptFiles {
        try lines.write(toFile: path, atomically: true, encoding: .utf8)
        let result = try headlamp(["discover", path, "--model", model, "--output", folder + "/out"])
        let expected = message.replacingOccurrences(of: "PATH", with: path)
          .replacingOccurrences(of: "MODEL", with: model)
        #expect(result.errors == "headlamp: \(expected)\n")
        #expect(result.exitCode == 1)
        #expect(result.output.isEmpty)
        #expect(!FileManager.default.fileExists(atPath: folder + "/out"))
      }
    }
  }

  @Test func namesThatAreNotOneToken() throws {
    try withSmallModel { folder, model in
      let result = try headlamp(["generate", "ioi", "--model", model, "--output", folder + "/p.jsonl"])
      #expect(result.exitCode == 1)
      #expect(
        result.errors.hasPrefix(
          "headlamp: list 'name' of ioi keeps 0 words that are one token under the tokenizer of \(model), and 3 are "
            + "needed; not one token: Alice"))
      #expect(!FileManager.default.fileExists(atPath: folder + "/p.jsonl"))
    }
  }

  @Test func recordingsThatCannotBeUsed() throws {
    try withSmallModel { folder, model in
      func run(_ words: String...) throws -> (Int32, String) {
        let result = try headlamp(words, folder: folder)
        #expect(result.output.isEmpty)
        return (result.exitCode, result.errors)
      }
      for (name, task) in [("one", "induction"), ("two", "induction")] {
        let position = name == "one" ? "answer" : "mean"
        #expect(
          try run(
            "record", task, "--model", model, "--examples", "8", "--position", position, "--output",
            name + ".h5"
          ).0 == 0)
      }
      #expect(
        try run("train", "one.h5", "--examples", "4", "--epochs", "5", "--output", "a.safetensors").0 == 0)
      // A recording of another model: the same prompts on other weights.
      let other = folder + "/other"
      _ = try headlamp([
        "train-model", "induction", "--output", other, "--layers", "2", "--heads", "4", "--d-model", "32",
        "--steps", "3", "--batch", "8", "--pairs", "200", "--seed", "9",
      ])
      #expect(
        try run("record", "induction", "--model", other, "--examples", "8", "--output", "other.h5").0 == 0)
      let digests = try ["one", "other"].map { name in
        let inside = try headlamp(["inspect", "\(folder)/\(name).h5"]).output
        return inside.split(separator: "\n").first { $0.hasPrefix("model ") }.map { $0.dropFirst(15) } ?? ""
      }
      #expect(
        try run("rank", "other.h5", "--autoencoder", "a.safetensors", "--output", "x")
          == (
            1,
            "headlamp: the autoencoder belongs to another recording: it was trained on model '\(digests[0])', "
              + "this one has '\(digests[1])'\n"
          ))
      #expect(
        try run("rank", "two.h5", "--autoencoder", "a.safetensors", "--output", "x")
          == (
            1,
            "headlamp: the autoencoder belongs to another recording: it was trained on position 'answer', "
              + "this one has 'mean'\n"
          ))
      // Foreign and corrupt files.
      let golden = packageFolder + "/Tests/RecordingsTests/Golden/"
      #expect(
        try run("train", golden + "foreign.h5", "--output", "x")
          == (
            1,
            "headlamp: \(golden)foreign.h5 is not a sound recording: attribute 'schema_version' is missing\n"
          ))
      #expect(
        try run("inspect", golden + "labels.h5")
          == (
            1,
            "headlamp: \(golden)labels.h5 is not a sound recording: example 3 has label 7; 0 and 1 are allowed\n"
          ))
      #expect(
        try run("train", "model/config.json", "--output", "x")
          == (1, "headlamp: model/config.json is not a sound recording: file signature not found\n"))
      let bytes = try Data(contentsOf: URL(fileURLWithPath: folder + "/one.h5"))
      try bytes.prefix(bytes.count / 2).write(to: URL(fileURLWithPath: folder + "/half.h5"))
      let (code, message) = try run("train", "half.h5", "--output", "x")
      #expect(code == 1)
      #expect(message.hasPrefix("headlamp: half.h5 is not a sound recording: "))
      #expect(
        try run("rank", "one.h5", "--autoencoder", "model/model.safetensors", "--output", "x")
          == (
            1,
            "headlamp: model/model.safetensors holds no autoencoder made by 'headlamp train': its header names another "
              + "format\n"
          ))
      #expect(!FileManager.default.fileExists(atPath: folder + "/x"))
    }
  }

  @Test func outputsThatCannotBeWritten() throws {
    try withSmallModel { folder, model in
      _ = try headlamp(
        ["record", "induction", "--model", model, "--examples", "8", "--output", "r.h5"], folder: folder)
      _ = try headlamp(
        ["train", "r.h5", "--examples", "4", "--epochs", "5", "--output", "a.safetensors"], folder: folder)
      let commands: [(words: [String], path: String)] = [
        (["generate", "induction", "--model", model, "--output", "no/p.jsonl"], "no/p.jsonl"),
        (["record", "induction", "--model", model, "--output", "no/r.h5"], "no/r.h5"),
        (["train", "r.h5", "--examples", "4", "--epochs", "5", "--output", "no/a"], "no/a"),
      ]
      for (words, path) in commands {
        let result = try headlamp(words, folder: folder)
        #expect(result.errors == "headlamp: cannot write \(path): No such file or directory\n")
        #expect(result.exitCode == 1)
      }
      // A file stands where a folder is to be made.
      for words in [
        ["rank", "r.h5", "--autoencoder", "a.safetensors", "--output", "r.h5/out"],
        ["discover", "induction", "--model", model, "--output", "r.h5/out"],
      ] {
        let result = try headlamp(words, folder: folder)
        #expect(result.errors == "headlamp: cannot write r.h5/out: r.h5 is a file, and a folder is needed\n")
        #expect(result.exitCode == 1)
      }
      let full = try headlamp(
        ["train", "r.h5", "--examples", "4", "--epochs", "5", "--output", "/dev/full/a"], folder: folder)
      #expect(full.errors == "headlamp: cannot write /dev/full/a: Not a directory\n")
    }
  }

  @Test func misuseIsAnsweredWithTheNearestWord() throws {
    let cases: [([String], String)] = [
      (["discvoer", "ioi"], "there is no command 'discvoer'; did you mean 'discover'?"),
      (
        ["discover", "greter-than"],
        "there is no task 'greter-than', nor a folder or file of that name; did you mean 'greater-than'?"
      ),
      (
        ["rank", "r.h5", "--autoencodr", "a"],
        "rank has no option '--autoencodr'; did you mean '--autoencoder'?"
      ),
      (["record", "ioi"], "--output is needed here"),
      (["train"], "RECORDING is missing; 'headlamp train --help' shows an example"),
      (
        ["discover", "ioi", "--protocol", "papr"],
        "--protocol wants one of default, change, paper, not 'papr'"
      ),
      (["discover", "ioi", "--bos", "yes"], "--bos wants one of on, off, auto, not 'yes'"),
      (["discover", "ioi", "--top-k", "500", "--output", "x"], "--top-k is 500; allowed is 1 to 200"),
      (
        ["discover", "ioi", "--training-examples", "3"],
        "--training-examples goes with --protocol change or paper"
      ),
      (["discover", "ioi", "--examples", "many"], "--examples wants a whole number, not 'many'"),
      (
        ["evaluate", "h.csv", "--truth", "ioi:wagn"],
        "ioi has no ground truth 'wagn'; did you mean 'wang'?"
      ),
      (
        ["evaluate", "h.csv", "--truth", "wang"],
        "a ground truth is written TASK:NAME, as in ioi:wang, not 'wang'"
      ),
    ]
    for (words, message) in cases {
      let result = try headlamp(words)
      #expect(result.errors == "headlamp: \(message)\n")
      #expect(result.exitCode == 2, "\(words)")
      #expect(result.output.isEmpty)
    }
  }

  @Test func aTruthOfAnotherModelIsRefusedBeforeAnyWork() throws {
    try withSmallModel { folder, model in
      let result = try headlamp([
        "discover", "induction", "--model", model, "--truth", "docstring:acdc", "--output", folder + "/out",
      ])
      #expect(
        result.errors
          == "headlamp: \(model) is of a model of 2 layers × 4 heads, and the ground truth 'acdc' is of one of 4 × 8\n"
      )
      #expect(result.exitCode == 1)
      #expect(!FileManager.default.fileExists(atPath: folder + "/out"))
    }
  }
}
